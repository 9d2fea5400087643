"""Queries of the database's catalogue."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from sparkify.sql import templates

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sparkify.warehouse import Warehouse

render = templates.renderer(Path(__file__).parent)


def relations(warehouse: Warehouse, names: Collection[str]) -> dict[str, list[str]]:
    """Return the column names, in order, of the tables and PostgreSQL indexes that exist.

    :param names: the names to look up: ``songs`` in the session's own schema, ``operations.staged_objects``.
    """
    if not names:
        return {}
    found: dict[str, list[str]] = {}
    last_parts = sorted({name.rpartition(".")[2] for name in names})
    for schema, name, column, is_current in warehouse.query(render("relations", names=last_parts)):
        for called in (f"{schema}.{name}", *([name] if is_current else [])):
            found.setdefault(called, []).append(column)
    return {name: columns for name, columns in found.items() if name in names}


def column_types(warehouse: Warehouse, names: Iterable[str]) -> dict[str, tuple[str, dict[str, str]]]:
    """Return the qualified name of each table and its columns' types, in order; without columns if it does not exist.

    :param names: as in SQL: ``songs`` in the session's own schema, ``operations.staged_objects``.
    """
    ((default,),) = warehouse.query("SELECT current_schema()")
    places = {name: (name.rpartition(".")[0] or default, name.rpartition(".")[2]) for name in names}
    columns: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for schema, table, column, kind, length in warehouse.query(
        render("column_types", tables=sorted(set(places.values())))
    ):
        columns[schema, table][column] = f"{kind}({length})" if length else kind
    return {name: (f"{schema}.{table}", columns[schema, table]) for name, (schema, table) in places.items()}
