"""Queries of the database's catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

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


class CatalogueTable(NamedTuple):
    """A table as the database describes it.

    :param name: ``schema.table``.
    :param comment: of COMMENT ON TABLE; None without one.
    :param columns: the types of its columns by name, in order; empty if it does not exist.
    :param comments: of COMMENT ON COLUMN by column; a column without one is missing.
    """

    name: str
    comment: str | None
    columns: dict[str, str]
    comments: dict[str, str]


def column_types(warehouse: Warehouse, names: Iterable[str]) -> dict[str, CatalogueTable]:
    """Return tables with their columns' types and all comments, by name.

    :param names: as in SQL: ``songs`` in the session's own schema, ``operations.staged_objects``.
    """
    ((default,),) = warehouse.query("SELECT current_schema()")
    places = {name: (name.rpartition(".")[0] or default, name.rpartition(".")[2]) for name in names}
    found = {place: CatalogueTable(".".join(place), None, {}, {}) for place in places.values()}
    for schema, table, column, kind, length, table_comment, comment in warehouse.query(
        render("column_types", tables=sorted(found))
    ):
        place = schema, table
        found[place].columns[column] = f"{kind}({length})" if length else kind
        if comment:
            found[place].comments[column] = comment
        found[place] = found[place]._replace(comment=table_comment)
    return {name: found[place] for name, place in places.items()}
