"""Run the statements of a file, in one transaction."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def prepare(job: Mapping[str, Any]) -> Callable[[], int]:
    """Connect.

    :param job: with ``script``, the file; the rows of its first INSERT are counted.
    """
    import psycopg

    connection = psycopg.connect(job["database"])
    statements = [text for text in Path(job["script"]).read_text().split(";") if text.strip()]

    def run() -> int:
        counts = []
        with connection:
            for statement in statements:
                done = connection.execute(statement.encode())
                if (done.statusmessage or "").startswith("INSERT"):
                    counts.append(done.rowcount)
        return counts[0]

    return run
