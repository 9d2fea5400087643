"""Correlated subqueries that Redshift cannot rewrite as joins, and rejects.

https://docs.aws.amazon.com/redshift/latest/dg/r_correlated_subqueries.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from sql_rules.columns import resolve
from sql_rules.rule import Match, ParsedStatement, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sql_rules.columns import Tables


def _queries(statement: ParsedStatement) -> Iterator[exp.Expr]:
    """Yield the subqueries in expressions, EXISTS and IN."""
    for query in statement.find(exp.Select):
        parent = query.parent
        while isinstance(parent, exp.Subquery | exp.SetOperation):
            parent = parent.parent
        if not isinstance(parent, exp.From | exp.Join | exp.CTE | exp.Create | exp.Insert | type(None)):
            yield query


def _is_correlated(query: exp.Expr, tables: Tables) -> bool:
    """Return whether a subquery references a column of an outer query."""
    inside = {id(node) for node in query.walk()}
    for column in query.find_all(exp.Column):
        found = resolve(column, tables)
        if found is not None and id(found.block) not in inside:
            return True
    return False


@rule("skipped block", refused=True)
def skipped_block(statement: ParsedStatement) -> Iterator[Match]:
    """Redshift rejects a correlated reference that skips a query block; write it as a join.

    https://docs.aws.amazon.com/redshift/latest/dg/r_correlated_subqueries.html
    """
    for column in statement.find(exp.Column):
        assert isinstance(column, exp.Column)
        found = resolve(column, statement.tables)
        if found is not None and found.depth > 1:
            yield Match(column)


@rule("correlated join", refused=True)
def correlated_join(statement: ParsedStatement) -> Iterator[Match]:
    """Redshift rejects a correlated subquery in the ON of an outer join; join an aggregated subquery instead.

    https://docs.aws.amazon.com/redshift/latest/dg/r_correlated_subqueries.html
    """
    for query in _queries(statement):
        join = query.find_ancestor(exp.Join, exp.Select)
        if isinstance(join, exp.Join) and join.side and _is_correlated(query, statement.tables):
            yield Match(query)


@rule("correlated window", refused=True)
def correlated_window(statement: ParsedStatement) -> Iterator[Match]:
    """Redshift rejects a correlated subquery with a window function; join a subquery with the window instead.

    https://docs.aws.amazon.com/redshift/latest/dg/r_correlated_subqueries.html
    """
    for query in _queries(statement):
        windows = [node for node in query.find_all(exp.Window) if node.find_ancestor(exp.Select) is query]
        if windows and _is_correlated(query, statement.tables):
            yield Match(query)


@rule("correlated group", refused=True)
def correlated_group(statement: ParsedStatement) -> Iterator[Match]:
    """Redshift rejects GROUP BY of a correlated subquery; compute it in a subquery of FROM, and group that.

    https://docs.aws.amazon.com/redshift/latest/dg/r_correlated_subqueries.html
    """
    for select in statement.find(exp.Select):
        assert isinstance(select, exp.Select)
        for key in grouped(select):
            for query in key.find_all(exp.Select):
                if _is_correlated(query, statement.tables):
                    yield Match(key)


@rule("correlated aggregate", refused=True)
def correlated_aggregate(statement: ParsedStatement) -> Iterator[Match]:
    """Redshift rejects IN with a correlated subquery that aggregates and groups; write it as a join.

    https://docs.aws.amazon.com/redshift/latest/dg/r_correlated_subqueries.html
    """
    for node in statement.find(exp.In):
        query = node.args["query"].this if isinstance(node.args.get("query"), exp.Subquery) else None
        if isinstance(query, exp.Select) and query.args.get("group"):
            aggregates = [found for item in query.selects for found in item.find_all(exp.AggFunc)]
            others = [found for found in aggregates if not isinstance(found, exp.Min | exp.Max)]
            if others and _is_correlated(query, statement.tables):
                yield Match(node)


def grouped(select: exp.Select) -> Iterator[exp.Expr]:
    """Yield the grouping expressions of a query, with output names and positions resolved."""
    group = select.args.get("group")
    for key in group.expressions if group is not None else []:
        if isinstance(key, exp.Literal) and key.is_int and 1 <= int(key.name) <= len(select.selects):
            yield select.selects[int(key.name) - 1].unalias()
        elif isinstance(key, exp.Column) and not key.table:
            named = [item for item in select.selects if isinstance(item, exp.Alias) and item.alias == key.name]
            yield named[0].this if named else key
        else:
            yield key
