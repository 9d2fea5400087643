"""Ours: one COPY on PostgreSQL, with all of Redshift's rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def prepare(job: Mapping[str, Any]) -> Callable[[], int]:
    """Connect."""
    import boto3
    import psycopg

    from sparkify.s3 import stores
    from sparkify.warehouse.postgres.copy import copy, create_load_errors, parse_copy

    session = boto3.session.Session(job["access_key"], job["secret_key"])
    open_store = stores(job["endpoint"], job["region"], session)
    connection = psycopg.connect(job["database"], autocommit=True)
    create_load_errors(connection)

    def run() -> int:
        return copy(
            connection,
            parse_copy(job["command"]),
            open_store=open_store,
            audit=lambda: psycopg.connect(job["database"]),
        ).rows

    return run
