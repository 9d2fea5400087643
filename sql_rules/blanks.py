"""Trailing blanks: Redshift ignores them when it compares VARCHAR, PostgreSQL does not.

The rule covers free text: columns declared as VARCHAR(256) or longer, and expressions over them. Ids and codes are
shorter; checks of the staging tables report those that end with a blank. ORDER BY is not covered: only ties differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from sql_rules.columns import resolve, sources, type_of
from sql_rules.rule import Match, ParsedStatement, rule
from sql_rules.subqueries import grouped

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Nullif)


@rule("trailing blanks")
def trailing_blanks(statement: ParsedStatement) -> Iterator[Match]:
    """Redshift compares text without its trailing blanks, PostgreSQL with them; write RTRIM(...).

    Applies to both sides of a comparison or join, and to GROUP BY, DISTINCT, UNION, PARTITION BY, MIN and MAX.

    https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
    """
    seen: set[int] = set()
    for value in _compared(statement):
        if id(value) not in seen and type_of(value, statement.tables).is_free:
            seen.add(id(value))
            yield Match(value)


def _compared(statement: ParsedStatement) -> Iterator[exp.Expr]:
    """Yield the expressions that a statement compares."""
    for node in statement.find(*_COMPARISONS):
        assigned = isinstance(node.parent, exp.Update) and node.arg_key == "expressions"
        yield from () if assigned else (node.this, node.expression)
    for node in statement.find(exp.In, exp.Between):
        yield node.this
        yield from node.expressions
        yield from (node.args[name] for name in ("query", "low", "high") if node.args.get(name) is not None)
    yield from (node.this for node in statement.find(exp.Case) if node.this is not None)
    yield from (node.this for node in statement.find(exp.Max, exp.Min) if node.this is not None)
    for window in statement.find(exp.Window):
        yield from window.args.get("partition_by") or []
        if isinstance(window.this, exp.Rank | exp.DenseRank) and window.args.get("order"):
            yield from (item.this for item in window.args["order"].expressions)
    for node in statement.find(exp.Distinct):
        yield from node.parent.selects if isinstance(node.parent, exp.Select) else node.expressions
    for node in statement.find(exp.SetOperation):
        if node.args.get("distinct"):
            yield from (item for side in (node.this, node.expression) for item in getattr(side, "selects", []))
    for select in statement.find(exp.Select):
        assert isinstance(select, exp.Select)
        yield from _grouped(select, statement)
    for join in statement.find(exp.Join):
        yield from _shared(join)


def _grouped(select: exp.Select, statement: ParsedStatement) -> Iterator[exp.Expr]:
    """Yield the grouping expressions of a query; a name is a table's column first, then an output column."""
    group = select.args.get("group")
    for written, meant in zip(group.expressions if group is not None else [], grouped(select), strict=True):
        is_column = isinstance(written, exp.Column) and resolve(written, statement.tables) is not None
        yield written if is_column else meant


def _shared(join: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the columns of USING, once for each table."""
    block = join.find_ancestor(exp.Select)
    for name in join.args.get("using") or []:
        for source in sources(block) if block is not None else []:
            column = exp.column(name.name, table=source.alias_or_name)
            column.parent = block
            column.meta.update(name.meta)
            yield column
