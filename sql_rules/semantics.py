"""SQL that both engines accept with different semantics, and SQL whose result varies between runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from sql_rules.columns import length_of, type_of
from sql_rules.rule import Match, ParsedStatement, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

# Date parts that are integers with the same meaning on both: WEEK is ISO 8601, DOW counts from Sunday = 0. SECOND and
# EPOCH have a fraction on PostgreSQL. https://docs.aws.amazon.com/redshift/latest/dg/r_Dateparts_for_datetime_functions.html
DATE_PARTS = {"YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "DOY", "DOW", "HOUR", "MINUTE"}
_FRACTIONS = {exp.DType.DOUBLE, exp.DType.DECIMAL, exp.DType.FLOAT}


@rule("average")
def average(statement: ParsedStatement) -> Iterator[Match]:
    """Redshift truncates the AVG of integers, PostgreSQL does not; write AVG(CAST(... AS DOUBLE PRECISION)).

    https://docs.aws.amazon.com/redshift/latest/dg/r_AVG.html
    """
    for call in statement.find(exp.Avg):
        if not (isinstance(call.this, exp.Cast) and call.this.to.is_type(exp.DType.DOUBLE)):
            yield Match(call)


@rule("division")
def division(statement: ParsedStatement) -> Iterator[Match]:
    """Integer division truncates; write 1.0 * a / b, or CAST(a AS DOUBLE PRECISION) / b.

    https://docs.aws.amazon.com/redshift/latest/dg/r_numeric_computations201.html
    """
    for node in statement.find(exp.Div):
        assert isinstance(node, exp.Div)
        if not any(_is_fraction(part) for side in (node.left, node.right) for part in side.walk()):
            yield Match(node)


def _is_fraction(node: exp.Expr) -> bool:
    if isinstance(node, exp.Cast):
        return node.to.this in _FRACTIONS
    return isinstance(node, exp.Literal) and not node.is_string and not node.is_int


@rule("rounding")
def rounding(statement: ParsedStatement) -> Iterator[Match]:
    """PostgreSQL rounds a DOUBLE PRECISION half to even; write ROUND(CAST(... AS DECIMAL(p, s)), digits).

    https://docs.aws.amazon.com/redshift/latest/dg/r_ROUND.html
    """
    yield from (Match(call) for call in statement.find(exp.Round) if call.args.get("decimals") is None)


@rule("date part")
def date_part(statement: ParsedStatement) -> Iterator[Match]:
    """EXTRACT is INTEGER on Redshift and NUMERIC on PostgreSQL; write CAST(EXTRACT(HOUR FROM ...) AS INTEGER).

    Supported parts: year, quarter, month, week, day, doy, dow, hour, minute; others have a fraction on PostgreSQL.
    https://docs.aws.amazon.com/redshift/latest/dg/r_EXTRACT_function.html
    """
    for extract in statement.find(exp.Extract):
        if extract.name.upper() not in DATE_PARTS or not isinstance(extract.parent, exp.Cast):
            yield Match(extract)


@rule("truncated date")
def truncated_date(statement: ParsedStatement) -> Iterator[Match]:
    """DATE_TRUNC of a DATE has a time zone on PostgreSQL only; write DATE_TRUNC('month', CAST(... AS TIMESTAMP)).

    https://docs.aws.amazon.com/redshift/latest/dg/r_DATE_TRUNC.html
    """
    for call in statement.find(exp.TimestampTrunc, exp.DateTrunc):
        if type_of(call.this, statement.tables).is_date:
            yield Match(call)


@rule("backslash")
def backslash(statement: ParsedStatement) -> Iterator[Match]:
    """A backslash in a literal is an escape on Redshift and a character on PostgreSQL; write LIKE '...' ESCAPE '^'.

    https://docs.aws.amazon.com/redshift/latest/dg/r_patternmatching_condition_like.html
    """
    for segment in statement.segment.raw_segments:
        text = segment.raw_upper
        if (text[:1] == "'" and "\\" in text) or text.startswith(("E'", "$")):
            yield Match(segment)


@rule("pattern")
def pattern(statement: ParsedStatement) -> Iterator[Match]:
    """The engines match this pattern differently; write LIKE, or LOWER(a) LIKE '...' to ignore case.

    ILIKE folds only ASCII letters on Redshift, and the dialects of regular expressions differ.
    https://docs.aws.amazon.com/redshift/latest/dg/pattern-matching-conditions.html
    """
    yield from map(Match, statement.find(exp.ILike, exp.SimilarTo, exp.RegexpLike, exp.RegexpILike))


@rule("bytes")
def byte_lengths(statement: ParsedStatement) -> Iterator[Match]:
    """VARCHAR(n) is n bytes on Redshift and n characters on PostgreSQL; write LEFT(..., n), or a wider VARCHAR.

    For a number from an unknown table: CAST(CAST(... AS BIGINT) AS VARCHAR(20)).
    https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
    """
    for cast in statement.find(exp.Cast):
        assert isinstance(cast, exp.Cast)
        limit = length_of(cast.to) if cast.to.is_type(exp.DType.VARCHAR) else None
        source = type_of(cast.this, statement.tables)
        if limit is not None and source.is_text is not False and (source.length is None or source.length > limit):
            yield Match(cast)
    for column, value in _written(statement):
        source, target = type_of(value, statement.tables), type_of(column, statement.tables)
        if source.is_text and target.length is not None and (source.length is None or source.length > target.length):
            yield Match(value)


def _written(statement: ParsedStatement) -> Iterator[tuple[exp.Column, exp.Expr]]:
    """Yield the columns that a statement writes, each with the value it writes."""
    tree = statement.tree
    if isinstance(tree, exp.Insert) and isinstance(tree.this, exp.Schema):
        names = [item.name for item in tree.this.expressions]
        rows = [tree.expression.selects] if isinstance(tree.expression, exp.Query) else []
        if isinstance(tree.expression, exp.Values):
            rows = [item.expressions for item in tree.expression.expressions if isinstance(item, exp.Tuple)]
        for values in rows:
            for name, value in zip(names, values, strict=False):
                yield _column_of(tree.this.this, name), value.unalias()
    elif isinstance(tree, exp.Update):
        for item in tree.expressions:
            if isinstance(item, exp.EQ) and isinstance(item.this, exp.Column):
                yield _column_of(tree.this, item.this.name), item.expression


def _column_of(table: exp.Expr, name: str) -> exp.Column:
    """Return a column of a table, in a separate query."""
    select = exp.select(exp.column(name)).from_(table.copy())
    column = select.selects[0]
    assert isinstance(column, exp.Column)
    return column


@rule("limit")
def limit(statement: ParsedStatement) -> Iterator[Match]:
    """LIMIT without an order returns arbitrary rows; write ORDER BY before LIMIT.

    https://docs.aws.amazon.com/redshift/latest/dg/r_ORDER_BY_clause.html
    """
    for node in statement.find(exp.Limit, exp.Fetch, exp.Offset):
        if node.parent and not node.parent.args.get("order"):
            yield Match(node.parent)


@rule("star")
def star(statement: ParsedStatement) -> Iterator[Match]:
    """A new column would change the result; write the columns.

    ``table.*`` is allowed in a subquery or a temporary table.
    https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_list.html
    """
    for select in statement.find(exp.Select):
        parent = select.parent
        while isinstance(parent, exp.SetOperation):
            parent = parent.parent
        inner = isinstance(parent, exp.Subquery | exp.Create)
        for column in select.expressions:
            if column.is_star and not (inner and isinstance(column, exp.Column)):
                yield Match(column)


@rule("natural join")
def natural_join(statement: ParsedStatement) -> Iterator[Match]:
    """A new column would change the join; write ON a.x = b.x instead of NATURAL.

    https://docs.aws.amazon.com/redshift/latest/dg/r_FROM_clause30.html
    """
    yield from (Match(join) for join in statement.find(exp.Join) if join.args.get("method") == "NATURAL")


@rule("insert")
def insert(statement: ParsedStatement) -> Iterator[Match]:
    """A new column would shift the values; write INSERT INTO table (columns).

    https://docs.aws.amazon.com/redshift/latest/dg/r_INSERT_30.html
    """
    for node in statement.find(exp.Insert):
        if not isinstance(node.this, exp.Schema | exp.Tuple):
            yield Match(node)
