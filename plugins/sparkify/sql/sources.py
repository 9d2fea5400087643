"""The lineage of a SELECT: the columns that each of its columns is computed from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

# The schema of a table that names none: sqlglot requires one for all tables, or for none.
_OWN = "public"

# Columns that a history load computes (sparkify.loading.history), and those that they are computed from.
COMPUTED = {"valid_to": "valid_from", "is_current": "valid_from", "last_interval_time": "interval_time"}


def column_sources(
    select: str, tables: Mapping[str, Mapping[str, str]], target: Collection[str] = ()
) -> dict[str, list[tuple[str, str]]]:
    """Return the source columns of each column of a SELECT, each as table and column, sorted.

    :param select: Redshift's dialect.
    :param tables: the types of the columns by name, by table; others are no sources.
    :param target: the columns of the table that it loads, which has those of ``COMPUTED`` in addition if it is a
        history.
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
    computed = {name: origin for name, origin in COMPUTED.items() if name in target and name not in found}
    return found | {name: found[origin] for name, origin in computed.items() if origin in found}
