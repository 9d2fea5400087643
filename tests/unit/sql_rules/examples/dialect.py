"""Statements, functions, types and constructs outside the common subset."""

from __future__ import annotations

from tests.unit.sql_rules.examples.example import Examples

EXAMPLES = {
    "syntax": Examples(
        ["SELECT a FROM t WHERE a = 1"],
        [
            "SELECT a FROM t WHERE",
            "CREATE TABLE t (a INTEGER) FOO BAR",
            "SELECT {{ a }} FROM t",
            "",
            "-- nothing",
            "CREATE TABLE t (a SERIAL)",
            "CREATE TABLE t (a INTEGER CHECK (a > 1))",
            "CREATE TABLE t (a INTEGER) INHERITS (u)",
            "CREATE TABLE t (a INTEGER) PARTITION BY RANGE (a)",
            "SELECT a FROM t EXCEPT ALL SELECT a FROM u",
            "SELECT a FROM ONLY t",
            "SELECT |/ a AS a FROM t",
        ],
    ),
    "statement": Examples(
        ["LOCK t", "DROP TABLE IF EXISTS t", "CREATE SCHEMA IF NOT EXISTS s", "WITH x AS (SELECT a FROM t) SELECT a FROM x", "ALTER TABLE t DROP COLUMN a", "ALTER TABLE t RENAME TO u"],  # noqa: E501
        [
            "TRUNCATE t",
            "VACUUM t",
            "ANALYZE t",
            "ANALYZE COMPRESSION t",
            "COPY t FROM 's3://bucket/key' IAM_ROLE DEFAULT",
            "VALUES (1), (2)",
            "BEGIN",
            "ALTER TABLE t ADD COLUMN a INTEGER",
            "ALTER TABLE t ALTER SORTKEY (a)",
            "ALTER TABLE t RENAME COLUMN a TO b",
            "CREATE MATERIALIZED VIEW v AS SELECT a FROM t",
            "CREATE SEQUENCE s",
            "GRANT SELECT ON t TO u",
            "CALL p()",
        ],
    ),
    "function": Examples(
        [
            "SELECT COALESCE(a, 0) AS a, LENGTH(b) AS n, LEFT(b, 3) AS c, UPPER(LOWER(RTRIM(b))) AS d FROM t",
            "SELECT CAST(a AS DATE) - CAST(b AS DATE) AS days, a + INTERVAL '1 day' AS next_day FROM t",
            "SELECT a || NULL AS b, a::BIGINT AS c FROM t",
            "SELECT CAST(CAST(a AS DATE) - CAST('1970-01-01' AS DATE) AS BIGINT) * 86400 AS seconds, COUNT(*) > 0 AS known FROM t GROUP BY a",  # noqa: E501
        ],
        [
            *(f"SELECT {call} AS a FROM t" for call in (
                "NVL(a, 0)", "NVL2(a, 0, 1)", "LEN(a)", "DATEDIFF(day, a, b)", "DATEADD(day, 1, a)", "GETDATE()", "SYSDATE",  # noqa: E501
                "CURRENT_TIMESTAMP", "TRUNC(a)", "LISTAGG(a, ',')", "STRING_AGG(a, ',')", "CONVERT(INTEGER, a)", "s.own(a)",  # noqa: E501
                "ROW(1, 2)", "NEXTVAL('s')", "CURRENT_DATE", "GENERATE_SERIES(1, 3)", "DECODE(a, 1, 2)",
            )),
            "SELECT a FROM t WHERE b IN (SELECT MEDIAN(b) FROM t)",
            "SELECT a FROM t WHERE b = ANY (SELECT b FROM u)",
        ],
    ),
    "type": Examples(
        ["CREATE TABLE t (a BIGINT ENCODE az64, b VARCHAR(65535) ENCODE zstd, c DECIMAL(38, 37), d DOUBLE PRECISION)"],
        [
            *(f"CREATE TABLE t (a {name})" for name in (
                "VARCHAR", "VARCHAR(MAX)", "TEXT", "CHAR(3)", "TIMESTAMPTZ", "TIMESTAMP(3)", "REAL", "SUPER", "TIME", "DECIMAL",  # noqa: E501
            )),
            "SELECT CAST(a AS VARCHAR) AS a FROM t",
            "SELECT CAST(a AS DECIMAL) AS a FROM t",
        ],
    ),
    "type size": Examples(
        ["CREATE TABLE t (a VARCHAR(65535), b DECIMAL(38, 37), c DECIMAL(5, 5))"],
        [
            f"CREATE TABLE t (a {name})"
            for name in ("VARCHAR(65536)", "VARCHAR(0)", "DECIMAL(39, 2)", "DECIMAL(38, 38)", "DECIMAL(3, 4)")
        ],
    ),
    "construct": Examples(
        ["SELECT a FROM t GROUP BY a HAVING COUNT(*) > 1"],
        [
            "SELECT a FROM t GROUP BY GROUPING SETS ((a), (b))",
            "SELECT a INTO x FROM t",
            "SELECT a AT TIME ZONE 'UTC' AS a FROM t",
            "SELECT a -> 'b' AS x FROM t",
            "SELECT B'101' AS a",
            "CREATE TABLE t (LIKE u)",
            "SELECT a ^ 2 AS b FROM t",
        ],
    ),
}  # fmt: skip
