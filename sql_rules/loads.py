"""Check the SELECT of a load: its columns are those of the table, and each is a value of one source row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.lineage import lineage

from sql_rules.parsing import line_of
from sql_rules.rule import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlglot.schema import Schema

# The schema of a table that names none.
SCHEMA = "public"

_AGGREGATE = (
    "A run reads the rows of its interval only, so an aggregate is wrong as soon as one hour is reloaded. Return a "
    "candidate per source row, and let row_version choose the row: README.md, Make it yours"
)


def check_load(select: exp.Query, table: str, schema: Schema) -> Iterator[Violation]:
    """Yield how the columns of a load's SELECT differ from those of its table, and which of them are aggregates.

    An aggregate over ``scope`` looks right after a run over the whole history, and is wrong after the next hour: it is
    computed from a part of the rows of its key.

    :param select: the SELECT, in Redshift's dialect.
    :param table: the table that it loads.
    :param schema: the declared tables.
    """
    columns = schema.column_names(exp.to_table(table, db=SCHEMA), dialect="redshift")
    selected = {item.alias_or_name.lower(): item for item in select.selects}
    for name in columns:
        if name not in selected:
            yield Violation("load", name, line_of(select), f"Missing in the SELECT: a column of {table}; add it")
    for name, item in selected.items():
        if name not in columns:
            yield Violation(
                "load", name, line_of(item), f"{table} has no such column; declare it in include/sql/ddl, or drop it"
            )
        elif _is_aggregated(name, select, schema):
            yield Violation("load", name, line_of(item), _AGGREGATE)


def _is_aggregated(column: str, select: exp.Query, schema: Schema) -> bool:
    """Return whether a column is computed from several rows, in the SELECT itself or in one that it reads."""
    try:
        origins = lineage(column, select.copy(), schema=schema, dialect="redshift", db=SCHEMA)
    except SqlglotError:
        return False  # a column that no table has, which is reported elsewhere
    return any(node.expression.find(exp.AggFunc, exp.Window) for node in origins.walk())
