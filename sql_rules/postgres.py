"""What Redshift accepts and PostgreSQL refuses, or the local engine does not translate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from sql_rules.rule import Found, Statement, rule

if TYPE_CHECKING:
    from collections.abc import Iterator


def _keywords(statement: Statement, name: str) -> Iterator[Found]:
    keywords = statement.segment.recursive_crawl("keyword")
    yield from (Found(segment) for segment in keywords if segment.raw_upper == name)


@rule("qualify")
def qualify(statement: Statement) -> Iterator[Found]:
    """PostgreSQL has no QUALIFY; write the window function in a subquery, and its condition in WHERE.

    https://docs.aws.amazon.com/redshift/latest/dg/r_QUALIFY_clause.html
    """
    yield from map(Found, statement.find(exp.Qualify))


@rule("top")
def top(statement: Statement) -> Iterator[Found]:
    """PostgreSQL has no TOP; write ORDER BY ... LIMIT n.

    https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_list.html
    """
    yield from _keywords(statement, "TOP")


@rule("minus")
def minus(statement: Statement) -> Iterator[Found]:
    """PostgreSQL has no MINUS; write EXCEPT.

    https://docs.aws.amazon.com/redshift/latest/dg/r_UNION.html
    """
    yield from _keywords(statement, "MINUS")


@rule("approximate")
def approximate(statement: Statement) -> Iterator[Found]:
    """PostgreSQL has no APPROXIMATE; write COUNT(DISTINCT ...).

    https://docs.aws.amazon.com/redshift/latest/dg/r_COUNT.html
    """
    yield from _keywords(statement, "APPROXIMATE")


@rule("remove duplicates")
def remove_duplicates(statement: Statement) -> Iterator[Found]:
    """PostgreSQL has no MERGE ... REMOVE DUPLICATES; write WHEN MATCHED THEN UPDATE ... WHEN NOT MATCHED THEN INSERT.

    https://docs.aws.amazon.com/redshift/latest/dg/r_MERGE.html
    """
    if statement.words[:1] == ["MERGE"]:
        yield from _keywords(statement, "DUPLICATES")


@rule("pivot")
def pivot(statement: Statement) -> Iterator[Found]:
    """PostgreSQL has no PIVOT and no UNPIVOT; write SUM(CASE WHEN ... THEN ... END) for each column.

    https://docs.aws.amazon.com/redshift/latest/dg/r_FROM_clause-pivot-unpivot-examples.html
    """
    yield from map(Found, statement.find(exp.Pivot))


@rule("identity")
def identity(statement: Statement) -> Iterator[Found]:
    """IDENTITY gives a row another number in another run; write a hash of the natural key, MD5(...), as the key.

    https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
    """
    yield from map(Found, statement.find(exp.GeneratedAsIdentityColumnConstraint, exp.AutoIncrementColumnConstraint))
