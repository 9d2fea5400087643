"""The log of rejected rows, ``stl_load_errors``, with the columns of Redshift's system view.

https://docs.aws.amazon.com/redshift/latest/dg/r_STL_LOAD_ERRORS.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    import psycopg

    from sparkify.warehouse.copy_result import RejectedRow

    Audit = Callable[[], psycopg.Connection[Any]]

_LOCK = 0x436F7079  # "Copy": serializes sessions that create the table concurrently
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
    SELECT
        usesysid::bigint, 0, %s, %s, %s, currval('public.copy_query_id'),
        %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0, 0, 0
    FROM pg_catalog.pg_user WHERE usename = %s
"""
# "Multibyte characters in the load data are replaced with a period"; PostgreSQL's text cannot contain NUL.
_UNPRINTABLE = re.compile(r"[^\x01-\x7f]")


def create_load_errors(connection: psycopg.Connection[Any]) -> None:
    """Create the table ``public.stl_load_errors`` and the sequence of query ids if they are missing.

    Safe to call concurrently. Commit before the next COPY, which logs on another connection.
    """
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '30s'")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        for statement in _DDL:
            cursor.execute(statement)


def store_rejects(
    audit: Audit,
    rejects: Sequence[RejectedRow],
    *,
    table: int,
    session: int,
    user: str,
    started: datetime,
) -> int:
    """Write rejected rows to ``stl_load_errors`` and commit them, even if the COPY is rolled back.

    The table is created if it is missing.

    :param audit: opens the connection that writes them.
    :param table: the target's oid.
    :param session: the process id of the session that loads.
    :param user: the user of that session.
    :param started: start of the COPY; aware.
    :return: the id of the COPY there, which no other COPY of this database has.
    """
    rows = [
        (
            table,
            started.replace(tzinfo=None),
            session,
            row.file_name[:256],
            row.line_number,
            row.column_name[:127],
            row.column_type[:10],
            row.column_length[:10],
            row.position,
            _UNPRINTABLE.sub(".", row.raw_line or "")[:1024],
            (row.raw_value or "").replace("\0", ".")[:1024],
            row.error_code,
            row.reason[:100],
            user,
        )
        for row in rejects
    ]
    with audit() as connection:
        create_load_errors(connection)
        with connection.transaction(), connection.cursor() as cursor:
            found = cursor.execute("SELECT nextval('public.copy_query_id')").fetchone()
            assert found is not None
            cursor.executemany(_INSERT, rows)
    return int(found[0])
