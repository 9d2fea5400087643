"""Check the SELECT of a load: it suits the table, and the strategy of the operator that loads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.lineage import lineage

from sparkify.loading.history import History
from sql_rules.parsing import line_of
from sql_rules.rule import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlglot.schema import Schema

    from sparkify.sql.predicates import Groups

# The schema of a table that names none.
SCHEMA = "public"

HISTORY, AGGREGATE = "LoadHistoryOperator", "LoadAggregateOperator"

_AGGREGATE = (
    "A run reads the rows of its interval only, so an aggregate is wrong as soon as one hour is reloaded. Return a "
    "candidate per source row, and let row_version choose the row; or load the table with LoadAggregateOperator: "
    "README.md, Make it yours"
)
_GROUPS = (
    "Missing in scope: the columns that form a group, which LoadAggregateOperator recomputes; write {{ scope("
    '"f.interval_time", day="f.day") }}'
)


def check_load(select: exp.Query, table: str, operator: str, schema: Schema) -> Iterator[Violation]:
    """Yield how the columns of a load's SELECT differ from those of its table, and which of them are aggregates.

    An aggregate over ``scope`` looks right after a run over the whole history, and is wrong after the next hour: it is
    computed from a part of the rows of its key. Only :class:`~sparkify.operators.LoadAggregateOperator` recomputes
    whole groups.

    :param select: the SELECT, in Redshift's dialect.
    :param table: the table that it loads.
    :param operator: the name of the operator's class.
    :param schema: the declared tables.
    """
    columns = schema.column_names(exp.table_(table, db=SCHEMA), dialect="redshift")
    computed = History.computed if operator == HISTORY else ()
    selected = {item.alias_or_name.lower(): item for item in select.selects}
    for name in computed:
        if name not in columns:
            yield Violation(
                "load", name, line_of(select), f"{operator} computes this column; declare it in the DDL of {table}"
            )
    for name in columns:
        if name not in selected and name not in computed:
            yield Violation("load", name, line_of(select), f"Missing in the SELECT: a column of {table}; add it")
    for name, item in selected.items():
        if name in computed:
            yield Violation("load", name, line_of(item), f"{operator} computes this column; leave it out")
        elif name not in columns:
            yield Violation(
                "load", name, line_of(item), f"{table} has no such column; declare it in include/sql/ddl, or drop it"
            )
        elif operator != AGGREGATE and _is_aggregated(name, select, schema):
            yield Violation("load", name, line_of(item), _AGGREGATE)


def check_groups(select: exp.Query, table: str, groups: Groups, facts: str, schema: Schema) -> Iterator[Violation]:
    """Yield why the groups of an aggregate cannot be recomputed.

    The operator evaluates the groups' expressions on the facts and on their table of changes, by the alias of the
    facts. Rows of another table may change without a change of the facts.

    :param groups: what the SELECT passes to its scope.
    :param facts: the table that is aggregated; empty if it is unknown.
    :param schema: the declared tables.
    """
    columns = schema.column_names(exp.table_(table, db=SCHEMA), dialect="redshift")
    if not groups.expressions:
        yield Violation("load", "scope", line_of(select), _GROUPS)
    for name, expression in groups.expressions.items():
        if name not in columns:
            yield Violation("load", name, line_of(select), f"scope groups by it, but {table} has no such column")
        used = {column.table for column in sqlglot.parse_one(expression, read="redshift").find_all(exp.Column)}
        if groups.expressions and used != {groups.alias}:
            yield Violation(
                "load", expression, line_of(select), f"scope groups by it; write each column as {groups.alias}.<column>"
            )
    own = {cte.alias for cte in select.find_all(exp.CTE)}
    for read in select.find_all(exp.Table):
        if read.name in own:
            continue
        if read.alias_or_name != groups.alias or (facts and read.name != facts):
            expected = f"{facts or 'its facts'} AS {groups.alias or 'f'}, by the name that scope uses"
            yield Violation(
                "load", read.sql("redshift"), line_of(read), f"An aggregate reads one table: expected {expected}"
            )


def _is_aggregated(column: str, select: exp.Query, schema: Schema) -> bool:
    """Return whether a column is computed from several rows, in the SELECT itself or in one that it reads."""
    try:
        origins = lineage(column, select.copy(), schema=schema, dialect="redshift", db=SCHEMA)
    except SqlglotError:
        return False  # a column that no table has, which is reported elsewhere
    return any(node.expression.find(exp.AggFunc, exp.Window) for node in origins.walk())
