"""The upper bound: COPY of rows that are already in PostgreSQL's binary format, from a local file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BLOCK = 256 * 1024


def prepare(job: Mapping[str, Any]) -> Callable[[], int]:
    """Connect."""
    import psycopg

    connection = psycopg.connect(job["database"], autocommit=True)

    def run() -> int:
        with connection.cursor() as cursor:
            with (
                Path(job["prepared"]).open("rb") as file,
                cursor.copy(f"COPY {job['table']} FROM STDIN (FORMAT binary)") as target,
            ):
                while block := file.read(BLOCK):
                    target.write(block)
            return cursor.rowcount

    return run
