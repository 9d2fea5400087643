"""The shared part of the dialect: the statements, functions and types that mean the same on both engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from sql_rules.rule import Found, Statement, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

# Functions that mean the same on both, as they are written. Those that Redshift documents otherwise than PostgreSQL
# (https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-functions.html) are left out; so is what only
# one of them has.
FUNCTIONS = {
    "AVG": "of DOUBLE PRECISION only, see `average`",
    "CAST": "to a type of `TYPES`; text is cut to bytes on Redshift and to characters on PostgreSQL, see `bytes`",
    "COALESCE": "",
    "COUNT": "BIGINT on both",
    "CURRENT_SCHEMA": "of the leader node on Redshift: only with tables of the catalogue, see `leader node`",
    "DATE_TRUNC": "of a TIMESTAMP, see `truncated date`; a week begins on Monday, https://docs.aws.amazon.com/redshift/latest/dg/r_DATE_TRUNC.html",
    "EXISTS": "",
    "EXTRACT": "of a part of `DATE_PARTS`; INTEGER on Redshift and NUMERIC on PostgreSQL, so it is to be cast",
    "LEFT": "counts characters on both",
    "LENGTH": "counts characters on both, trailing blanks included",
    "LOWER": "of every letter of Unicode on both",
    "LPAD": "counts characters on both; a longer text is cut",
    "MAX": "of text by code point: the local database has a C collation",
    "MD5": "32 hexadecimal digits, of the UTF-8 bytes",
    "MIN": "as MAX",
    "MOD": "the sign is the dividend's",
    "NULLIF": "",
    "ROUND": "of a DECIMAL to digits, half away from zero, see `rounding`",
    "ROW_NUMBER": "",
    "RANK": "",
    "RTRIM": "removes trailing blanks, see `trailing blanks`",
    "SUM": "of integers no narrower than BIGINT; NULL of no rows",
    "TO_CHAR": "https://docs.aws.amazon.com/redshift/latest/dg/r_FORMAT_strings.html; with the parts of both",
    "UPPER": "as LOWER",
}

_NOW = "no clock: a run has to give the same result tomorrow. Write a moment of its interval, {{ scope(column) }}"
# What to write in the place of functions that only one of the two has, or that differ.
INSTEAD = {
    "NVL": "write COALESCE(a, b)",
    "IFNULL": "write COALESCE(a, b)",
    "NVL2": "write CASE WHEN a IS NOT NULL THEN b ELSE c END",
    "DECODE": "write CASE a WHEN b THEN c END",
    "LEN": "write LENGTH(a)",
    "CHAR_LENGTH": "write LENGTH(a)",
    "GETDATE": _NOW,
    "SYSDATE": _NOW,
    "NOW": _NOW,
    "CURRENT_TIMESTAMP": _NOW,
    "CURRENT_DATE": _NOW,
    "DATEDIFF": "write the difference of dates, CAST(b AS DATE) - CAST(a AS DATE), which is a number of days",
    "DATE_DIFF": "write the difference of dates, CAST(b AS DATE) - CAST(a AS DATE), which is a number of days",
    "DATEADD": "write a + INTERVAL '1 day'",
    "DATE_ADD": "write a + INTERVAL '1 day'",
    "DATE_PART": "write CAST(EXTRACT(HOUR FROM a) AS INTEGER)",
    "TRUNC": "write CAST(a AS DATE) for a time, CAST(a AS BIGINT) or ROUND(a, 0) for a number",
    "LISTAGG": "return a row for each value, and join them where they are shown",
    "STRING_AGG": "return a row for each value, and join them where they are shown",
    "MEDIAN": "number the rows with ROW_NUMBER() OVER (ORDER BY a) and take the one in the middle",
    "CONCAT": "write a || b",
    "CONVERT": "write CAST(a AS INTEGER)",
    "TRIM": "write RTRIM(a)",
    "BTRIM": "write RTRIM(a)",
    "CHARINDEX": "write a LIKE '%b%'",
    "ANY": "write IN (SELECT ...)",
    "SOME": "write IN (SELECT ...)",
    "ROW": "compare the columns one by one",
    "GENERATE_SERIES": "keep the numbers in a table",
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

# By the first words of a statement. What else Redshift knows is the operators' work, or no part of a load.
STATEMENTS = {"SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE", "LOCK", "CREATE", "DROP", "("}
CREATED = {"TABLE", "SCHEMA", "VIEW"}
_NO_STATEMENT = {
    "TRUNCATE": "TRUNCATE commits on Redshift; write DELETE FROM",
    "ANALYZE": "the operators analyze what they have loaded; leave it out",
    "VACUUM": "Redshift vacuums by itself; leave it out",
    "COPY": "StageToRedshiftOperator copies; leave it out",
    "UNLOAD": "ReportOperator writes to S3; leave it out",
    "BEGIN": "the operators begin and commit the transaction; leave it out",
    "START": "the operators begin and commit the transaction; leave it out",
    "COMMIT": "the operators begin and commit the transaction; leave it out",
    "END": "the operators begin and commit the transaction; leave it out",
    "ROLLBACK": "the operators begin and commit the transaction; leave it out",
    "VALUES": "VALUES is no statement on Redshift; write SELECT ... UNION ALL SELECT ...",
    "ALTER": "a file of include/sql/ddl declares the whole table; change its CREATE TABLE",
}


@rule("statement")
def statement_kind(statement: Statement) -> Iterator[Found]:
    """The statement is not one that SQL files share; write SELECT, INSERT, UPDATE, DELETE, MERGE, LOCK, CREATE or DROP.

    TRUNCATE commits; COPY, UNLOAD, VACUUM and the like are the operators' work.
    https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_commands.html
    """
    words = statement.words
    first = words[0] if words else ""
    if first not in STATEMENTS:
        yield Found(statement.segment, _NO_STATEMENT.get(first, ""))
    elif isinstance(statement.tree, exp.Create | exp.Drop) and statement.tree.args.get("kind") not in CREATED:
        if statement.tree.args.get("kind") != "INDEX":
            yield Found(
                statement.segment, "the local engine creates tables, schemas and views only; write CREATE TABLE"
            )
    elif first == "CREATE" and "MATERIALIZED" in words:
        yield Found(
            statement.segment, "the two refresh a materialized view differently; write CREATE VIEW, or load a table"
        )


@rule("function")
def function(statement: Statement) -> Iterator[Found]:
    """The function is not known to mean the same on both; docs/sql.md lists those that are.

    https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-functions.html
    """
    for segment in statement.segment.recursive_crawl("function_name", "bare_function"):
        name = segment.raw_upper
        if name not in FUNCTIONS:
            advice = INSTEAD.get(name)
            yield Found(segment, f"{name} is not the same on both engines; {advice}" if advice else "")


@rule("type")
def data_type(statement: Statement) -> Iterator[Found]:
    """The type is not the same on both; write one of those that are, such as BIGINT, DECIMAL(p, s) or VARCHAR(n).

    They are SMALLINT, INTEGER, BIGINT, DECIMAL(p, s), DOUBLE PRECISION, BOOLEAN, DATE, TIMESTAMP and VARCHAR(n).
    https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-datatypes.html
    """
    for kind in statement.find(exp.DataType):
        assert isinstance(kind, exp.DataType)
        sized = kind.this in (exp.DType.VARCHAR, exp.DType.DECIMAL)
        if kind.this not in TYPES or (sized and not kind.expressions):
            yield Found(kind)
        elif kind.expressions and (not sized or any(not str(size.this).isdigit() for size in kind.expressions)):
            yield Found(kind, "PostgreSQL does not know this length; write a number, VARCHAR(65535) at most")


@rule("type size", refused=True)
def type_size(statement: Statement) -> Iterator[Found]:
    """Redshift has no type of this size; write VARCHAR(65535) and DECIMAL(38, 37) at most.

    https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
    https://docs.aws.amazon.com/redshift/latest/dg/r_Numeric_types201.html
    """
    for kind in statement.find(exp.DataType):
        assert isinstance(kind, exp.DataType)
        sizes = [int(str(size.this)) for size in kind.expressions if str(size.this).isdigit()]
        if kind.this is exp.DType.VARCHAR and sizes and not 1 <= sizes[0] <= 65535:
            yield Found(kind)
        if kind.this is exp.DType.DECIMAL and sizes:
            precision, scale = sizes[0], (sizes[1:] or [0])[0]
            if not 1 <= precision <= 38 or scale > min(37, precision):
                yield Found(kind)
