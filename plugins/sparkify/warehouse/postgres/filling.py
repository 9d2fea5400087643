"""Fill an empty table: without its secondary indexes, which are created again when the rows are in.

To sort the rows of an index once takes a quarter of the time of inserting them one by one. The indexes are dropped in a
short transaction of its own, so readers of the table, which is empty, wait for milliseconds. If the process is killed
before it has created them again, the next create_tables does: the DDL declares them.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sparkify.warehouse.session import Warehouse

log = logging.getLogger(__name__)

# The number of rows from which it pays: below, the statements take longer than they save.
LEAST_ROWS = 100_000
# How long to wait for readers of the empty table; meanwhile other readers wait, too.
LOCK_TIMEOUT = "100ms"

# The indexes of a table, except those of its keys.
INDEXES = """
SELECT CAST(CAST(indexrelid AS regclass) AS text), pg_get_indexdef(indexrelid)
FROM pg_index
WHERE indrelid = CAST('{table}' AS regclass) AND NOT indisunique
ORDER BY 1
"""


@contextmanager
def filling(warehouse: Warehouse, table: str) -> Iterator[None]:
    """Drop the secondary indexes of a table if it is empty, and create them again at the end.

    :param table: this session must not have locked it.
    """
    dropped = drop_indexes(warehouse, table) if _is_empty(warehouse, table) else {}
    try:
        yield
    finally:
        if dropped:
            warehouse.transaction(lambda: _create(warehouse, dropped))


def _is_empty(warehouse: Warehouse, table: str) -> bool:
    ((has_rows,),) = warehouse.query(f"SELECT EXISTS (SELECT 1 FROM {table})")
    return not has_rows


def drop_indexes(warehouse: Warehouse, table: str) -> dict[str, str]:
    """Return the dropped indexes by name, each with the statement that creates it; none if the table is in use."""
    from psycopg import errors

    def work() -> dict[str, str]:
        found = dict(warehouse.query(INDEXES.format(table=table))) if _is_empty(warehouse, table) else {}
        warehouse.script(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        for index in found:
            warehouse.script(f"DROP INDEX {index}")
        return found

    try:
        return warehouse.transaction(work, lock=[table])
    except errors.LockNotAvailable:
        log.info("The table is in use, filling it with its indexes: table=%s", table)
        return {}


def _create(warehouse: Warehouse, indexes: dict[str, str]) -> None:
    """Create indexes, unless a concurrent run has: the writers of the table wait, its readers do not."""
    warehouse.script("SET LOCAL maintenance_work_mem = '256MB'")
    for statement in indexes.values():
        warehouse.script(statement.replace("CREATE INDEX", "CREATE INDEX IF NOT EXISTS", 1))
