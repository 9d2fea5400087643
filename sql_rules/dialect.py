"""The common subset: statements, functions and types with the same semantics on both engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from sql_rules.rule import Match, ParsedStatement, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

# Functions with the same semantics on both, without those that Redshift documents differently from PostgreSQL:
# https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-functions.html
FUNCTIONS = {
    "AVG": "of DOUBLE PRECISION only, see `average`",
    "CAST": "to a type of `TYPES`; text is truncated to bytes on Redshift and to characters on PostgreSQL, see `bytes`",
    "COALESCE": "",
    "COUNT": "BIGINT on both",
    "CURRENT_SCHEMA": "runs on the leader node of Redshift: only with catalogue tables, see `leader node`",
    "DATE_TRUNC": "of a TIMESTAMP, see `truncated date`; a week begins on Monday, https://docs.aws.amazon.com/redshift/latest/dg/r_DATE_TRUNC.html",
    "EXISTS": "",
    "EXTRACT": "of a part in `DATE_PARTS`; INTEGER on Redshift and NUMERIC on PostgreSQL: cast it",
    "LAG": "NULL in the first row of a partition; without a frame, see `frame`, https://docs.aws.amazon.com/redshift/latest/dg/r_WF_LAG.html",
    "LEAD": "NULL in the last row of a partition; without a frame, see `frame`, https://docs.aws.amazon.com/redshift/latest/dg/r_WF_LEAD.html",
    "LEFT": "counts characters on both",
    "LENGTH": "counts characters on both, trailing blanks included",
    "LOWER": "all Unicode letters on both",
    "LPAD": "counts characters on both; longer text is truncated",
    "MAX": "text by code point: the local database has a C collation",
    "MD5": "32 hexadecimal digits of the UTF-8 bytes' hash",
    "MIN": "as MAX",
    "MOD": "the sign of the dividend",
    "NULLIF": "",
    "ROUND": "of a DECIMAL to digits, half away from zero, see `rounding`",
    "ROW_NUMBER": "",
    "RANK": "",
    "RTRIM": "removes trailing blanks, see `trailing blanks`",
    "SUM": "of integers, at least BIGINT; NULL if there are no rows",
    "TO_CHAR": "https://docs.aws.amazon.com/redshift/latest/dg/r_FORMAT_strings.html; with the parts that both support",
    "UPPER": "as LOWER",
}

_NOW = "it makes the result depend on the time of the run. Write a predicate of the interval, {{ scope(column) }}"
# Replacements for functions that differ, or that only one engine has.
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
    "DATEDIFF": "write the difference of dates, CAST(b AS DATE) - CAST(a AS DATE), an integer number of days",
    "DATE_DIFF": "write the difference of dates, CAST(b AS DATE) - CAST(a AS DATE), an integer number of days",
    "DATEADD": "write a + INTERVAL '1 day'",
    "DATE_ADD": "write a + INTERVAL '1 day'",
    "DATE_PART": "write CAST(EXTRACT(HOUR FROM a) AS INTEGER)",
    "TRUNC": "write CAST(a AS DATE) for a time, CAST(a AS BIGINT) or ROUND(a, 0) for a number",
    "LISTAGG": "return a row for each value, and join them in the client",
    "STRING_AGG": "return a row for each value, and join them in the client",
    "MEDIAN": "number the rows with ROW_NUMBER() OVER (ORDER BY a) and select the middle one",
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

# Types with the same semantics on both. VARCHAR needs a length: its default on Redshift is 256 bytes, and TEXT is
# VARCHAR(256), https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html. CHAR is padded.
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

# First words of a statement. Redshift's other statements are sent by the operators, or are not part of a load.
STATEMENTS = {"SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE", "LOCK", "CREATE", "DROP", "("}
# Of ALTER TABLE: a column that is dropped explicitly, and the swap of a rebuilt table.
ALTERATIONS = (exp.Drop, exp.AlterRename)
CREATED = {"TABLE", "SCHEMA", "VIEW"}
_UNSUPPORTED_STATEMENTS = {
    "TRUNCATE": "TRUNCATE commits on Redshift; write DELETE FROM",
    "ANALYZE": "the operators run ANALYZE after a load; leave it out",
    "VACUUM": "Redshift vacuums by itself; leave it out",
    "COPY": "StageToRedshiftOperator runs COPY; leave it out",
    "UNLOAD": "SQL files do not write to S3, ReportOperator does; leave it out",
    "BEGIN": "the operators begin and commit the transaction; leave it out",
    "START": "the operators begin and commit the transaction; leave it out",
    "COMMIT": "the operators begin and commit the transaction; leave it out",
    "END": "the operators begin and commit the transaction; leave it out",
    "ROLLBACK": "the operators begin and commit the transaction; leave it out",
    "VALUES": "VALUES is not a statement on Redshift; write SELECT ... UNION ALL SELECT ...",
    "ALTER": "a file of include/sql/ddl declares the whole table; change its CREATE TABLE, or drop a column",
}


@rule("statement")
def statement_kind(statement: ParsedStatement) -> Iterator[Match]:
    """The statement is not supported in SQL files; write SELECT, INSERT, UPDATE, DELETE, MERGE, LOCK, CREATE or DROP.

    TRUNCATE commits; the operators send COPY and ANALYZE.
    https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_commands.html
    """
    words = statement.words
    first = words[0] if words else ""
    actions = statement.tree.args["actions"] if isinstance(statement.tree, exp.Alter) else []
    if actions and all(isinstance(action, ALTERATIONS) for action in actions):
        return
    if first not in STATEMENTS:
        yield Match(statement.segment, _UNSUPPORTED_STATEMENTS.get(first, ""))
    elif isinstance(statement.tree, exp.Create | exp.Drop) and statement.tree.args.get("kind") not in CREATED:
        if statement.tree.args.get("kind") != "INDEX":
            yield Match(
                statement.segment, "the local engine creates tables, schemas and views only; write CREATE TABLE"
            )
    elif first == "CREATE" and "MATERIALIZED" in words:
        yield Match(
            statement.segment, "the engines refresh a materialized view differently; write CREATE VIEW, or load a table"
        )


@rule("function")
def function(statement: ParsedStatement) -> Iterator[Match]:
    """The function is not known to be the same on both engines; docs/sql.md lists those that are.

    https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-functions.html
    """
    for segment in statement.segment.recursive_crawl("function_name", "bare_function"):
        name = segment.raw_upper
        if name not in FUNCTIONS:
            advice = INSTEAD.get(name)
            yield Match(segment, f"{name} is not the same on both engines; {advice}" if advice else "")


@rule("type")
def data_type(statement: ParsedStatement) -> Iterator[Match]:
    """The type is not the same on both engines; write a portable one, such as BIGINT, DECIMAL(p, s) or VARCHAR(n).

    Portable types: SMALLINT, INTEGER, BIGINT, DECIMAL(p, s), DOUBLE PRECISION, BOOLEAN, DATE, TIMESTAMP and VARCHAR(n).
    https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-datatypes.html
    """
    for kind in statement.find(exp.DataType):
        assert isinstance(kind, exp.DataType)
        sized = kind.this in (exp.DType.VARCHAR, exp.DType.DECIMAL)
        if kind.this not in TYPES or (sized and not kind.expressions):
            yield Match(kind)
        elif kind.expressions and (not sized or any(not str(size.this).isdigit() for size in kind.expressions)):
            yield Match(kind, "PostgreSQL does not support this length; write a number, VARCHAR(65535) at most")


@rule("type size", refused=True)
def type_size(statement: ParsedStatement) -> Iterator[Match]:
    """The size exceeds Redshift's maximum; write VARCHAR(65535) or DECIMAL(38, 37) at most.

    https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
    https://docs.aws.amazon.com/redshift/latest/dg/r_Numeric_types201.html
    """
    for kind in statement.find(exp.DataType):
        assert isinstance(kind, exp.DataType)
        sizes = [int(str(size.this)) for size in kind.expressions if str(size.this).isdigit()]
        if kind.this is exp.DType.VARCHAR and sizes and not 1 <= sizes[0] <= 65535:
            yield Match(kind)
        if kind.this is exp.DType.DECIMAL and sizes:
            precision, scale = sizes[0], (sizes[1:] or [0])[0]
            if not 1 <= precision <= 38 or scale > min(37, precision):
                yield Match(kind)
