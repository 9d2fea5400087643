"""Trailing blanks: Redshift compares VARCHAR without them, PostgreSQL with them.

Free text is concerned: a column that is declared as VARCHAR(256) or longer, and what is made of it. Ids and codes are
shorter; that they do not end with blanks is a check of the staging tables. The order of rows is not concerned: only
ties differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from sql_rules.columns import kind_of, origin, sources
from sql_rules.rule import Found, Statement, rule
from sql_rules.subqueries import grouped

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Nullif)


@rule("trailing blanks")
def trailing_blanks(statement: Statement) -> Iterator[Found]:
    """Redshift compares text without its trailing blanks, PostgreSQL with them; write RTRIM(...) where it is compared.

    That is on both sides of a comparison or join, and in GROUP BY, DISTINCT, UNION, PARTITION BY, MIN and MAX.

    https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
    """
    seen: set[int] = set()
    for value in _compared(statement):
        if id(value) not in seen and kind_of(value, statement.tables).is_free:
            seen.add(id(value))
            yield Found(value)


def _compared(statement: Statement) -> Iterator[exp.Expr]:
    """Yield the expressions of a statement whose equality matters."""
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


def _grouped(select: exp.Select, statement: Statement) -> Iterator[exp.Expr]:
    """Yield what a query groups by. A name is a column of a table first, and of the result else."""
    group = select.args.get("group")
    for written, meant in zip(group.expressions if group is not None else [], grouped(select), strict=True):
        is_column = isinstance(written, exp.Column) and origin(written, statement.tables) is not None
        yield written if is_column else meant


def _shared(join: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the columns of USING, as those of each table."""
    block = join.find_ancestor(exp.Select)
    for name in join.args.get("using") or []:
        for source in sources(block) if block is not None else []:
            column = exp.column(name.name, table=source.alias_or_name)
            column.parent = block
            column.meta.update(name.meta)
            yield column
