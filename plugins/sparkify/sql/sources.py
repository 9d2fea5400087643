"""The lineage of a SELECT: the columns that each of its columns is computed from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# The schema of a table that names none: sqlglot requires one for all tables, or for none.
_OWN = "public"


def column_sources(select: str, tables: Mapping[str, Mapping[str, str]]) -> dict[str, list[tuple[str, str]]]:
    """Return the source columns of each column of a SELECT, each as table and column, sorted.

    :param select: Redshift's dialect.
    :param tables: the types of the columns by name, by table; others are no sources.
    :raises sqlglot.errors.SqlglotError: if they cannot be determined.
    """
    from sqlglot import exp, parse_one
    from sqlglot.lineage import lineage

    schema: dict[str, dict[str, dict[str, str]]] = {}
    for name, columns in tables.items():
        place, _, last = name.rpartition(".")
        schema.setdefault(place or _OWN, {})[last] = dict(columns)
    query = parse_one(select, read="redshift")
    query.set("where", None)  # it only filters rows, and uses temporary tables that no longer exist
    found = {}
    for column, root in lineage(None, query, schema, dialect="redshift", db=_OWN).items():
        sources = {
            (f"{leaf.source.db}.{leaf.source.name}".removeprefix(f"{_OWN}."), leaf.name.rpartition(".")[2])
            for leaf in root.walk()
            if isinstance(leaf.source, exp.Table)
        }
        found[column] = sorted((table, source) for table, source in sources if table in tables)
    return found
