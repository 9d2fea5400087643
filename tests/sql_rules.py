"""The house rules of SQL: the part of Redshift's dialect that means the same on PostgreSQL.

A statement that one of the two refuses is found by running it. These rules find what both accept and understand
differently, what Redshift alone refuses, and what is a trap on Redshift.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import sqlglot
from sqlfluff.core import FluffConfig, Linter
from sqlglot import exp

from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlfluff.core.parser import BaseSegment

    # Yields the parts of a statement that break the rule.
    Rule = Callable[[exp.Expression], Iterator[exp.Expr]]

# Functions that mean the same on both, as they are written. Those that Redshift documents otherwise than PostgreSQL
# (https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-functions.html) are left out; so is what only
# one of them has: NVL, LEN, DATEDIFF, DATEADD, GETDATE, SYSDATE, LISTAGG, MEDIAN, TRUNC of a timestamp.
FUNCTIONS = {
    "AVG": "of DOUBLE PRECISION only, see `average`",
    "CAST": "to a type of `TYPES`; a longer text is cut to the length, on both",
    "COALESCE": "",
    "COUNT": "BIGINT on both",
    "CURRENT_SCHEMA": "of the leader node on Redshift: only with tables of the catalogue",
    "DATE_TRUNC": "of a TIMESTAMP; a week begins on Monday, https://docs.aws.amazon.com/redshift/latest/dg/r_DATE_TRUNC.html",
    "EXISTS": "",
    "EXTRACT": "of a part of `DATE_PARTS`; INTEGER on Redshift and NUMERIC on PostgreSQL, so it is to be cast",
    "LPAD": "counts characters on both; a longer text is cut",
    "MAX": "of text by code point: the local database has a C collation",
    "MD5": "32 hexadecimal digits, of the UTF-8 bytes",
    "MIN": "as MAX",
    "MOD": "the sign is the dividend's",
    "NULLIF": "",
    "ROUND": "of a DECIMAL to digits, half away from zero, see `rounding`",
    "ROW_NUMBER": "",
    "RANK": "",
    "SUM": "of integers no narrower than BIGINT; NULL of no rows",
    "TO_CHAR": "https://docs.aws.amazon.com/redshift/latest/dg/r_FORMAT_strings.html; with the parts of both",
}

# Types that are the same on both. A VARCHAR needs its length, which is 256 bytes on Redshift where it is not said, and
# TEXT is VARCHAR(256): https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html. CHAR pads.
TYPES = {
    exp.DType.SMALLINT,
    exp.DType.INT,
    exp.DType.BIGINT,
    exp.DType.DECIMAL,
    exp.DType.DOUBLE,
    exp.DType.BOOLEAN,
    exp.DType.DATE,
    exp.DType.TIMESTAMP,
    exp.DType.VARCHAR,
    exp.DType.INTERVAL,
}

# Parts of a timestamp that both give as whole numbers with one meaning: WEEK is ISO's, DOW counts from Sunday = 0.
# SECOND and EPOCH have a fraction on PostgreSQL. https://docs.aws.amazon.com/redshift/latest/dg/r_Dateparts_for_datetime_functions.html
DATE_PARTS = {"YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "DOY", "DOW", "HOUR", "MINUTE"}

STATEMENTS = (exp.Select, exp.SetOperation, exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Create, exp.Drop)

# Window functions that number rows take no frame; those that are computed over a frame must name it.
_FRAMELESS = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Ntile, exp.Lag, exp.Lead, exp.PercentRank, exp.CumeDist)
_FRACTIONS = {exp.DType.DOUBLE, exp.DType.DECIMAL, exp.DType.FLOAT}


class Violation(NamedTuple):
    """What a rule found.

    :param rule: its name.
    :param found: the SQL, or the parser's message.
    """

    rule: str
    found: str


def violations(sql: str) -> list[Violation]:
    """Return what in a script breaks a rule.

    :param sql: statements of Redshift's dialect, without templates.
    """
    tree, problems = parse(sql)
    if tree is None or problems:
        return [Violation("syntax", problem) for problem in problems or ["nothing to parse"]]
    found = [Violation("function", name) for name in functions(tree) if name.upper() not in FUNCTIONS]
    for statement in statements(sql):
        found += [Violation(name, node.sql("redshift")) for name, rule in RULES.items() for node in rule(statement)]
    return found


def statements(sql: str) -> list[exp.Expression]:
    """Return the syntax trees of a script, as sqlglot reads Redshift's dialect."""
    trees = sqlglot.parse(sql, read="redshift")
    return [tree for tree in trees if isinstance(tree, exp.Expression) and not isinstance(tree, exp.Semicolon)]


@cache
def _linter() -> Linter:
    # The project's configuration, for SQL that is rendered already.
    return Linter(config=FluffConfig.from_path(str(ROOT), overrides={"templater": "raw"}))


def parse(sql: str) -> tuple[BaseSegment | None, list[str]]:
    """Return sqlfluff's syntax tree of a script, and what it could not read."""
    parsed = _linter().parse_string(sql)
    return parsed.tree, [violation.desc() for violation in parsed.violations]


def functions(tree: BaseSegment) -> Iterator[str]:
    """Yield the names of the functions as they are written: sqlglot calls both NVL and COALESCE by one name."""
    for segment in tree.recursive_crawl("function_name", "bare_function"):
        yield segment.raw


def _kind(tree: exp.Expression) -> Iterator[exp.Expr]:
    """TRUNCATE commits; COPY, UNLOAD, VACUUM and the like do not belong into SQL that is shared."""
    lock = isinstance(tree, exp.Command) and tree.name.upper() == "LOCK"
    if not lock and not isinstance(tree, STATEMENTS):
        yield tree


def _type(tree: exp.Expression) -> Iterator[exp.Expr]:
    for kind in tree.find_all(exp.DataType):
        if kind.this not in TYPES or (kind.this in (exp.DType.VARCHAR, exp.DType.DECIMAL) and not kind.expressions):
            yield kind


def _identity(tree: exp.Expression) -> Iterator[exp.Expr]:
    """The same row gets another number in another run."""
    yield from tree.find_all(exp.GeneratedAsIdentityColumnConstraint, exp.AutoIncrementColumnConstraint)


def _average(tree: exp.Expression) -> Iterator[exp.Expr]:
    """Redshift cuts the fraction where the argument is an integer, and keeps a DECIMAL's scale; PostgreSQL does not.

    https://docs.aws.amazon.com/redshift/latest/dg/r_AVG.html
    """
    for average in tree.find_all(exp.Avg):
        if not (isinstance(average.this, exp.Cast) and average.this.to.is_type(exp.DType.DOUBLE)):
            yield average


def _division(tree: exp.Expression) -> Iterator[exp.Expr]:
    """Say that a fraction is wanted: integers are divided without one."""
    for division in tree.find_all(exp.Div):
        if not any(_fraction(node) for side in (division.left, division.right) for node in side.walk()):
            yield division


def _fraction(node: exp.Expr) -> bool:
    if isinstance(node, exp.Cast):
        return node.to.this in _FRACTIONS
    return isinstance(node, exp.Literal) and not node.is_string and not node.is_int


def _rounding(tree: exp.Expression) -> Iterator[exp.Expr]:
    """PostgreSQL rounds a DOUBLE PRECISION half to even; to digits it rounds a DECIMAL only."""
    yield from (call for call in tree.find_all(exp.Round) if call.args.get("decimals") is None)


def _date_part(tree: exp.Expression) -> Iterator[exp.Expr]:
    for extract in tree.find_all(exp.Extract):
        if extract.name.upper() not in DATE_PARTS or not isinstance(extract.parent, exp.Cast):
            yield extract


def _limit(tree: exp.Expression) -> Iterator[exp.Expr]:
    """Which rows come first is chance without ORDER BY."""
    for limit in tree.find_all(exp.Limit, exp.Fetch):
        if limit.parent and not limit.parent.args.get("order"):
            yield limit.parent


def _star(tree: exp.Expression) -> Iterator[exp.Expr]:
    """A new column must not change a result. ``table.*`` may carry a row inside a load, not deliver it."""
    for select in tree.find_all(exp.Select):
        parent = select.parent
        while isinstance(parent, exp.SetOperation):
            parent = parent.parent
        inner = isinstance(parent, exp.Subquery | exp.Create)
        for column in select.expressions:
            if column.is_star and not (inner and isinstance(column, exp.Column)):
                yield column


def _qualify(tree: exp.Expression) -> Iterator[exp.Expr]:
    """PostgreSQL has no QUALIFY."""
    yield from tree.find_all(exp.Qualify)


def _frame(tree: exp.Expression) -> Iterator[exp.Expr]:
    """Redshift wants the frame of an aggregate that is ordered.

    https://docs.aws.amazon.com/redshift/latest/dg/r_Window_function_synopsis.html
    """
    for window in tree.find_all(exp.Window):
        function = window.this.this if isinstance(window.this, exp.IgnoreNulls | exp.RespectNulls) else window.this
        if window.args.get("order") and not window.args.get("spec") and not isinstance(function, _FRAMELESS):
            yield window


def _alias(tree: exp.Expression) -> Iterator[exp.Expr]:
    """Redshift's DELETE, UPDATE and MERGE name their target by its own name, here."""
    if isinstance(tree, exp.Delete | exp.Update | exp.Merge) and tree.this.alias:
        yield tree.this


def _merge(tree: exp.Expression) -> Iterator[exp.Expr]:
    """Redshift: one WHEN MATCHED and one WHEN NOT MATCHED, without conditions, and a table as the source.

    https://docs.aws.amazon.com/redshift/latest/dg/r_MERGE.html
    """
    if not isinstance(tree, exp.Merge):
        return
    whens = tree.args["whens"].expressions
    if sorted(bool(when.args["matched"]) for when in whens) != [False, True]:
        yield tree.args["whens"]
    yield from (when for when in whens if when.args.get("condition") is not None)
    if not isinstance(tree.args["using"], exp.Table):
        yield tree.args["using"]
    if tree.args.get("with_"):
        yield tree.args["with_"]


def _assignment(tree: exp.Expression) -> Iterator[exp.Expr]:
    """The columns of SET are the target's: they take no prefix on Redshift."""
    for update in tree.find_all(exp.Update):
        yield from (item.this for item in update.expressions if isinstance(item.this, exp.Column) and item.this.table)


def _insert(tree: exp.Expression) -> Iterator[exp.Expr]:
    """INSERT names its columns: an audit column added later must not shift them."""
    for insert in tree.find_all(exp.Insert):
        if not isinstance(insert.this, exp.Schema | exp.Tuple):
            yield insert


RULES: dict[str, Rule] = {
    "alias": _alias,
    "assignment": _assignment,
    "average": _average,
    "date part": _date_part,
    "division": _division,
    "frame": _frame,
    "identity": _identity,
    "insert": _insert,
    "limit": _limit,
    "merge": _merge,
    "qualify": _qualify,
    "rounding": _rounding,
    "star": _star,
    "statement": _kind,
    "type": _type,
}
