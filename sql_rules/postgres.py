"""SQL that Redshift supports, but PostgreSQL or the local engine does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from sql_rules.rule import Match, ParsedStatement, rule

if TYPE_CHECKING:
    from collections.abc import Iterator


def _keywords(statement: ParsedStatement, name: str) -> Iterator[Match]:
    keywords = statement.segment.recursive_crawl("keyword")
    yield from (Match(segment) for segment in keywords if segment.raw_upper == name)


@rule("qualify")
def qualify(statement: ParsedStatement) -> Iterator[Match]:
    """PostgreSQL has no QUALIFY; write the window function in a subquery, and its condition in WHERE.

    https://docs.aws.amazon.com/redshift/latest/dg/r_QUALIFY_clause.html
    """
    yield from map(Match, statement.find(exp.Qualify))


@rule("top")
def top(statement: ParsedStatement) -> Iterator[Match]:
    """PostgreSQL has no TOP; write ORDER BY ... LIMIT n.

    https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_list.html
    """
    yield from _keywords(statement, "TOP")


@rule("minus")
def minus(statement: ParsedStatement) -> Iterator[Match]:
    """PostgreSQL has no MINUS; write EXCEPT.

    https://docs.aws.amazon.com/redshift/latest/dg/r_UNION.html
    """
    yield from _keywords(statement, "MINUS")


@rule("approximate")
def approximate(statement: ParsedStatement) -> Iterator[Match]:
    """PostgreSQL has no APPROXIMATE; write COUNT(DISTINCT ...).

    https://docs.aws.amazon.com/redshift/latest/dg/r_COUNT.html
    """
    yield from _keywords(statement, "APPROXIMATE")


@rule("remove duplicates")
def remove_duplicates(statement: ParsedStatement) -> Iterator[Match]:
    """PostgreSQL has no MERGE ... REMOVE DUPLICATES; write WHEN MATCHED THEN UPDATE ... WHEN NOT MATCHED THEN INSERT.

    https://docs.aws.amazon.com/redshift/latest/dg/r_MERGE.html
    """
    if statement.words[:1] == ["MERGE"]:
        yield from _keywords(statement, "DUPLICATES")


@rule("pivot")
def pivot(statement: ParsedStatement) -> Iterator[Match]:
    """PostgreSQL has no PIVOT and no UNPIVOT; write SUM(CASE WHEN ... THEN ... END) for each column.

    https://docs.aws.amazon.com/redshift/latest/dg/r_FROM_clause-pivot-unpivot-examples.html
    """
    yield from map(Match, statement.find(exp.Pivot))


@rule("identity")
def identity(statement: ParsedStatement) -> Iterator[Match]:
    """IDENTITY values vary between runs; write a hash of the natural key, MD5(...), as the key.

    https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
    """
    yield from map(Match, statement.find(exp.GeneratedAsIdentityColumnConstraint, exp.AutoIncrementColumnConstraint))
