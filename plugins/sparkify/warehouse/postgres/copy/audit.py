"""The log of rejected rows, ``stl_load_errors``, with the columns of Redshift's own system view.

https://docs.aws.amazon.com/redshift/latest/dg/r_STL_LOAD_ERRORS.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    import psycopg

    from sparkify.warehouse.postgres.copy.errors import Reject

    Audit = Callable[[], psycopg.Connection[Any]]

_LOCK = 0x436F7079  # "Copy": two processes that create the table at once take turns
_DDL = (
    "CREATE SEQUENCE IF NOT EXISTS public.copy_query_id AS integer CYCLE",
    """
    CREATE TABLE IF NOT EXISTS public.stl_load_errors (
        userid integer NOT NULL,
        slice integer NOT NULL,
        tbl integer NOT NULL,
        starttime timestamp NOT NULL,
        session integer NOT NULL,
        query integer NOT NULL,
        filename character(256) NOT NULL,
        line_number bigint NOT NULL,
        colname character(127) NOT NULL,
        type character(10) NOT NULL,
        col_length character(10) NOT NULL,
        position integer NOT NULL,
        raw_line character(1024) NOT NULL,
        raw_field_value character(1024) NOT NULL,
        err_code integer NOT NULL,
        err_reason character(100) NOT NULL,
        is_partial integer NOT NULL,
        start_offset bigint NOT NULL,
        copy_job_id bigint NOT NULL
    )
    """,
)
_INSERT = """
    INSERT INTO public.stl_load_errors
    SELECT usesysid::bigint, 0, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0, 0, 0
    FROM pg_catalog.pg_user WHERE usename = %s
"""
# "Multibyte characters in the load data are replaced with a period"; and a NUL has no place in PostgreSQL's text.
_UNPRINTABLE = re.compile(r"[^\x01-\x7f]")


def create_load_errors(connection: psycopg.Connection[Any]) -> None:
    """Create the table ``public.stl_load_errors`` and the sequence of query ids if they are missing.

    Safe to call from several processes at once. Commit before the next COPY: it logs on a connection of its own.
    """
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '30s'")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        for statement in _DDL:
            cursor.execute(statement)


def next_query_id(connection: psycopg.Connection[Any], audit: Audit) -> int:
    """Return an id no other COPY of this database has."""
    with connection.cursor() as cursor:
        ready = cursor.execute(
            "SELECT to_regclass('public.stl_load_errors') IS NOT NULL"
            " AND to_regclass('public.copy_query_id') IS NOT NULL"
        ).fetchone()
        if ready != (True,):
            with audit() as other:
                create_load_errors(other)
        row = cursor.execute("SELECT nextval('public.copy_query_id')").fetchone()
        assert row is not None
        return int(row[0])


def store_rejects(
    audit: Audit,
    rejects: Sequence[Reject],
    *,
    query_id: int,
    table: int,
    session: int,
    user: str,
    started: datetime,
) -> None:
    """Write rejected rows to ``stl_load_errors`` and commit them, whatever becomes of the COPY itself.

    :param audit: opens the connection to write on.
    :param table: the target's oid.
    :param session: the process id of the loading session.
    :param user: its user.
    :param started: when the COPY began.
    """
    rows = [
        (
            table,
            started.replace(tzinfo=None),
            session,
            query_id,
            reject.filename[:256],
            reject.line,
            reject.column[:127],
            reject.type[:10],
            reject.length[:10],
            reject.position,
            _UNPRINTABLE.sub(".", reject.raw[:4096].decode(errors="replace"))[:1024],
            reject.value.replace("\0", ".")[:1024],
            reject.code,
            reject.reason[:100],
            user,
        )
        for reject in rejects
    ]
    with audit() as connection, connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(_INSERT, rows)
