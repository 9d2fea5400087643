"""DuckDB: a first load, with its extensions for S3 and for PostgreSQL. The statements are those of duckdb_load.sql."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SCRIPT = Path(__file__).with_suffix(".sql")
TABLES = ("staging_events", "staging_songs", "songplays", "users", "songs", "artists", "time")
# What the database has of a table: the statement that creates it again, and the one that drops it.
KEYS = """
    SELECT format('ALTER TABLE %%s ADD CONSTRAINT %%s %%s', conrelid::regclass, conname, pg_get_constraintdef(oid)),
        format('ALTER TABLE %%s DROP CONSTRAINT %%s', conrelid::regclass, conname)
    FROM pg_constraint WHERE conrelid::regclass::text = ANY(%s) AND contype = 'p'
"""
INDEXES = """
    SELECT pg_get_indexdef(indexrelid), format('DROP INDEX %%s', indexrelid::regclass)
    FROM pg_index WHERE indrelid::regclass::text = ANY(%s) AND NOT indisprimary
"""
# A play whose attributes are missing in a dimension.
ORPHANS = """
    SELECT COUNT(*) FROM songplays AS p
    WHERE p.{column} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {table} AS d WHERE d.{column} = p.{column})
"""
DIMENSIONS = {"users": "user_id", "time": "start_time", "songs": "song_id", "artists": "artist_id"}


def prepare(job: Mapping[str, Any]) -> Callable[[], int]:
    """Load the extensions, connect, and drop the keys and indexes of the empty tables.

    :param job: with ``bucket``.
    """
    import duckdb
    import psycopg2

    script = SCRIPT.read_text().format(bucket=job["bucket"])
    session = duckdb.connect()
    for name in ("httpfs", "postgres_scanner"):
        spec = find_spec(f"duckdb_extension_{name}")
        assert spec
        assert spec.origin
        (extension,) = Path(spec.origin).parent.rglob(f"{name}.duckdb_extension")
        session.load_extension(str(extension))
    session.execute(
        f"CREATE SECRET (TYPE s3, KEY_ID '{job['access_key']}', SECRET '{job['secret_key']}', "
        f"REGION '{job['region']}', ENDPOINT '{job['endpoint'].partition('://')[2]}', URL_STYLE 'path', USE_SSL false)"
    )
    session.execute(f"ATTACH '{job['database']}' AS warehouse (TYPE postgres)")
    connection = psycopg2.connect(job["database"])
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("SET maintenance_work_mem = '256MB'")
    recreate = []
    for catalogue in (KEYS, INDEXES):
        cursor.execute(catalogue, [list(TABLES)])
        for create, drop in cursor.fetchall():
            recreate.append(create)
            cursor.execute(drop)

    def run() -> int:
        session.execute(script)
        for statement in recreate:
            cursor.execute(statement)
        cursor.execute(f"ANALYZE {', '.join(TABLES)}")
        for table, column in DIMENSIONS.items():
            cursor.execute(ORPHANS.format(table=table, column=column))
            if found := cursor.fetchone()[0]:
                raise RuntimeError(f"{found} plays have no row in {table}.")
        cursor.execute("SELECT COUNT(*) FROM songplays")
        return int(cursor.fetchone()[0])

    return run
