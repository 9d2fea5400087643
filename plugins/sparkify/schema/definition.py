"""The definition of a table's rows, its SELECT and its keys. If it changes, all rows are out of date."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sparkify.warehouse import Warehouse

DEFINITIONS = "operations.table_definitions"


def fingerprint(select: str, keys: Sequence[str]) -> str:
    """Return a hash of a definition; comments and white space do not count.

    :param select: the template of the SELECT.
    :param keys: the columns that identify a row.
    """
    import sqlparse

    words = sqlparse.format(select, strip_comments=True).split()
    return hashlib.sha256("\0".join([*words, *keys]).encode()).hexdigest()


def recorded(warehouse: Warehouse, table: str) -> str | None:
    """Return the fingerprint of the definition that a table's rows were loaded with; None if it has none."""
    rows = warehouse.query(f"SELECT fingerprint FROM {DEFINITIONS} WHERE table_name = '{table}'")
    return rows[0][0] if rows else None


def record(warehouse: Warehouse, table: str, fingerprint: str) -> None:
    """Record the definition of all rows of a table; the caller commits."""
    forget(warehouse, table)
    warehouse.script(
        f"-- Record the definition of {table}.\n"
        f"INSERT INTO {DEFINITIONS} (table_name, fingerprint) VALUES ('{table}', '{fingerprint}');"
    )


def forget(warehouse: Warehouse, table: str) -> None:
    """Delete the recorded definition of a table, so that the next load rebuilds it; the caller commits."""
    warehouse.script(f"-- Delete the definition of {table}.\nDELETE FROM {DEFINITIONS} WHERE table_name = '{table}';")


def columns(warehouse: Warehouse, table: str, select: str) -> list[str]:
    """Return the columns of a table, which must be those of its SELECT.

    :param select: returns candidates for the table's rows.
    :raises WarehouseError: if they differ. Nothing is loaded then.
    """
    from sparkify.warehouse import WarehouseError

    names, _ = warehouse.table(
        f"SELECT {table}.*, 0 AS end_of_table, candidates.* FROM {table}\n"
        f"CROSS JOIN (\n{select}\n) AS candidates\nWHERE 1 = 0 LIMIT 0"
    )
    end = names.index("end_of_table")
    declared, selected = names[:end], names[end + 1 :]
    missing = [name for name in declared if name not in selected]
    unknown = [name for name in selected if name not in declared]
    if missing or unknown:
        raise WarehouseError(
            f"The columns of {table} and of its SELECT differ. Nothing was loaded."
            + (f" Only in the table: {', '.join(missing)}." if missing else "")
            + (f" Only in the SELECT: {', '.join(unknown)}." if unknown else "")
            + " Declare each column in the table's DDL, and select it under the same name.",
            terminal=True,
        )
    return declared
