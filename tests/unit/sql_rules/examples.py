"""For each rule of SQL, what it accepts and what it finds."""

from __future__ import annotations

from typing import NamedTuple

MATCHED = "WHEN MATCHED THEN UPDATE SET a = b.a"
NOT_MATCHED = "WHEN NOT MATCHED THEN INSERT (id, a) VALUES (b.id, b.a)"
MERGE = f"MERGE INTO t USING b ON t.id = b.id {MATCHED} {NOT_MATCHED}"


class Examples(NamedTuple):
    """SQL that all rules accept, and SQL in which the rule finds something."""

    good: list[str]
    bad: list[str]


def columns(count: int) -> str:
    return ", ".join(f"c{number}" for number in range(count))


def wide(count: int, keys: str) -> str:
    return f"CREATE TABLE t ({', '.join(f'c{number} INTEGER' for number in range(count))}) {keys}"


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
        ["LOCK t", "DROP TABLE IF EXISTS t", "CREATE SCHEMA IF NOT EXISTS s", "WITH x AS (SELECT a FROM t) SELECT a FROM x"],  # noqa: E501
        [
            "TRUNCATE t",
            "VACUUM t",
            "ANALYZE t",
            "ANALYZE COMPRESSION t",
            "COPY t FROM 's3://bucket/key' IAM_ROLE DEFAULT",
            "VALUES (1), (2)",
            "BEGIN",
            "ALTER TABLE t ADD COLUMN a INTEGER",
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
    "average": Examples(
        ["SELECT AVG(CAST(a AS DOUBLE PRECISION)) AS mean FROM t"],
        [f"SELECT AVG({a}) AS mean FROM t" for a in ("a", "CAST(a AS INTEGER)", "CAST(a AS DECIMAL(10, 2))")],
    ),
    "division": Examples(
        ["SELECT 100.0 * a / b AS share FROM t", "SELECT CAST(a AS DECIMAL(10, 2)) / b AS share FROM t"],
        ["SELECT a / b AS share FROM t", "SELECT 100 * COUNT(*) / SUM(COUNT(*)) OVER () AS share FROM t"],
    ),
    "rounding": Examples(["SELECT ROUND(1.0 * a, 1) AS a FROM t"], ["SELECT ROUND(a) AS a FROM t"]),
    "date part": Examples(
        ["SELECT CAST(EXTRACT(HOUR FROM ts) AS INTEGER) AS hour FROM t"],
        [
            "SELECT CAST(EXTRACT(EPOCH FROM ts) AS BIGINT) AS seconds FROM t",
            "SELECT CAST(EXTRACT(SECOND FROM ts) AS INTEGER) AS seconds FROM t",
            "SELECT EXTRACT(HOUR FROM ts) AS hour FROM t",
        ],
    ),
    "truncated date": Examples(
        [
            "SELECT DATE_TRUNC('month', p.start_time) AS month FROM songplays AS p",
            "SELECT DATE_TRUNC('month', CAST(CAST(a AS DATE) AS TIMESTAMP)) AS month FROM t",
        ],
        [
            "SELECT DATE_TRUNC('month', CAST(a AS DATE)) AS month FROM t",
            "SELECT DATE_TRUNC('month', DATE '2018-11-01') AS month",
            "SELECT DATE_TRUNC('month', d.day) AS month FROM (SELECT MIN(CAST(start_time AS DATE)) AS day FROM time) AS d",  # noqa: E501
        ],
    ),
    "backslash": Examples(
        ["SELECT a FROM t WHERE b LIKE '50^%' ESCAPE '^'", "SELECT 'o''clock' AS a", 'SELECT a AS "back\\slash" FROM t'],  # noqa: E501
        [
            "SELECT a FROM t WHERE b LIKE '50\\%'",
            "SELECT a FROM t WHERE b LIKE '50\\\\%'",
            "SELECT 'a\\\\b' AS x",
            "SELECT 'a\\' AS x",
            "SELECT E'a\\n' AS x",
            "SELECT $$a$$ AS x",
        ],
    ),
    "pattern": Examples(
        ["SELECT a FROM t WHERE LOWER(b) LIKE 'x%' AND NOT b LIKE 'y_' AND b NOT LIKE 'z_'"],
        [f"SELECT a FROM t WHERE b {pattern}" for pattern in ("ILIKE 'x%'", "SIMILAR TO 'x%'", "~ 'x'", "!~* 'x'", "NOT ILIKE 'x'")],  # noqa: E501
    ),
    "bytes": Examples(
        [
            "SELECT CAST(p.session_id AS VARCHAR(20)) AS a FROM songplays AS p",
            "SELECT CAST(MD5(s.title) AS VARCHAR(32)) AS a, CAST(s.title AS VARCHAR(1024)) AS b FROM songs AS s",
            "SELECT CAST('abc' AS VARCHAR(2)) AS a, CAST(NULL AS VARCHAR(2)) AS b, CAST(CAST(x AS BIGINT) AS VARCHAR(20)) AS c FROM t",  # noqa: E501
            "INSERT INTO songs (song_id, title) SELECT song_id, title FROM staging_songs",
            "INSERT INTO songs (title) VALUES ('Señorita')",
        ],
        [
            "SELECT CAST(title AS VARCHAR(5)) AS a FROM songs",
            "SELECT CAST(a AS VARCHAR(5)) AS a FROM t",
            "SELECT CAST('Señorita' AS VARCHAR(4)) AS a",
            "SELECT CAST(s.song_id || s.title AS VARCHAR(2000)) AS a FROM songs AS s",
            "SELECT title::VARCHAR(5) AS a FROM songs",
            "INSERT INTO users (first_name) SELECT title FROM songs",
            "INSERT INTO users (level) VALUES ('Señoras y señores')",
            "UPDATE users SET first_name = songs.title FROM songs WHERE users.user_id = songs.year",
        ],
    ),
    "trailing blanks": Examples(
        [
            "SELECT s.song_id FROM songs AS s INNER JOIN staging_events AS e ON RTRIM(s.title) = RTRIM(e.song)",
            "SELECT RTRIM(s.title) AS title, COUNT(*) AS n FROM songs AS s GROUP BY RTRIM(s.title)",
            "SELECT p.song_id FROM songplays AS p INNER JOIN songs AS s ON p.song_id = s.song_id WHERE p.level = 'paid'",  # noqa: E501
            "SELECT DISTINCT RTRIM(x.b) AS b FROM (SELECT s.title || '|' AS a, s.title AS b FROM songs AS s) AS x WHERE x.a = 'b|'",  # noqa: E501
            "SELECT s.title FROM songs AS s WHERE s.title LIKE 'a%' ORDER BY s.title",
            "SELECT a.table_name FROM operations.staged_objects AS a WHERE a.table_name = 'songs'",
            "UPDATE songs SET title = staging_songs.title FROM staging_songs WHERE songs.song_id = staging_songs.song_id",  # noqa: E501
        ],
        [
            "SELECT s.song_id FROM songs AS s INNER JOIN staging_events AS e ON s.title = RTRIM(e.song)",
            "SELECT song_id FROM songs WHERE title = 'Bad Meaning Good'",
            "SELECT song_id FROM songs WHERE title IN ('a', 'b')",
            "SELECT song_id FROM songs WHERE year IN (SELECT title FROM songs)",
            "SELECT song_id FROM songs WHERE song_id = 'a '",
            "SELECT song_id FROM songs WHERE title BETWEEN 'a' AND 'b'",
            "SELECT title, COUNT(*) AS n FROM songs GROUP BY title",
            "SELECT RTRIM(title) AS title, COUNT(*) AS n FROM songs GROUP BY title",
            "SELECT LOWER(title) AS t, COUNT(*) AS n FROM songs GROUP BY 1",
            "SELECT LOWER(title) AS t, COUNT(*) AS n FROM songs GROUP BY t",
            "SELECT DISTINCT title FROM songs",
            "SELECT COUNT(DISTINCT title) AS n FROM songs",
            "SELECT title FROM songs UNION SELECT name FROM artists",
            "SELECT MAX(title) AS last_title FROM songs",
            "SELECT ROW_NUMBER() OVER (PARTITION BY title ORDER BY year) AS n FROM songs",
            "SELECT RANK() OVER (ORDER BY title) AS n FROM songs",
            "SELECT CASE title WHEN 'a' THEN 1 END AS n FROM songs",
            "SELECT NULLIF(title, '') AS t FROM songs",
            "SELECT a.song_id FROM songs AS a INNER JOIN staging_songs AS b USING (title)",
            "SELECT x.t FROM (SELECT COALESCE(title, '') AS t FROM songs) AS x WHERE x.t = ''",
            "WITH x AS (SELECT title AS t FROM songs) SELECT t FROM x WHERE t = ''",
            "CREATE TEMP TABLE x AS SELECT songs.* FROM songs; SELECT song_id FROM x WHERE title = ''",
            "DELETE FROM songs USING artists WHERE songs.title = artists.name",
        ],
    ),
    "limit": Examples(
        ["SELECT a FROM t ORDER BY a LIMIT 1"],
        [
            "SELECT a FROM t LIMIT 1",
            "SELECT TOP 1 a FROM t",
            "SELECT a FROM t OFFSET 3",
            "SELECT a FROM (SELECT a FROM t LIMIT 1) AS u ORDER BY a",
        ],
    ),
    "star": Examples(
        [
            "CREATE TEMP TABLE b AS SELECT t.* FROM t",
            "CREATE TEMP TABLE b AS SELECT t.* FROM t WHERE a = 1 UNION SELECT t.* FROM t WHERE b = 1",
            "SELECT a FROM (SELECT t.*, 1 AS one FROM t) AS u",
            "SELECT COUNT(*) AS n FROM t",
        ],
        [
            "SELECT * FROM t",
            "SELECT t.* FROM t",
            "SELECT a FROM (SELECT * FROM t) AS u",
            "CREATE TEMP TABLE b AS SELECT * FROM t",
            "SELECT t.* FROM t UNION SELECT u.* FROM u",
            "INSERT INTO t (a) SELECT b.* FROM b",
        ],
    ),
    "natural join": Examples(["SELECT a FROM t INNER JOIN u USING (a)"], ["SELECT a FROM t NATURAL JOIN u"]),
    "insert": Examples(
        ["INSERT INTO t (a) SELECT a FROM b", "INSERT INTO t (a) VALUES (1), (2)"],
        ["INSERT INTO t SELECT a FROM b", "INSERT INTO t VALUES (1)", "INSERT INTO t DEFAULT VALUES"],
    ),
    "qualify": Examples(
        ["SELECT a FROM (SELECT a, ROW_NUMBER() OVER (PARTITION BY a ORDER BY b) AS n FROM t) AS u WHERE n = 1"],
        ["SELECT a FROM t QUALIFY ROW_NUMBER() OVER (PARTITION BY a ORDER BY b) = 1"],
    ),
    "top": Examples(["SELECT a AS first FROM t ORDER BY a LIMIT 5"], ["SELECT TOP 5 a FROM t ORDER BY a"]),
    "minus": Examples(["SELECT a FROM t EXCEPT SELECT a FROM u"], ["SELECT a FROM t MINUS SELECT a FROM u"]),
    "approximate": Examples(["SELECT COUNT(DISTINCT a) AS n FROM t"], ["SELECT APPROXIMATE COUNT(DISTINCT a) AS n FROM t"]),  # noqa: E501
    "remove duplicates": Examples([MERGE], ["MERGE INTO t USING b ON t.id = b.id REMOVE DUPLICATES"]),
    "pivot": Examples(
        ["SELECT SUM(CASE WHEN b = 'x' THEN CAST(a AS BIGINT) END) AS x FROM t"],
        ["SELECT a FROM t PIVOT (SUM(a) FOR b IN ('x'))"],
    ),
    "identity": Examples(
        ["CREATE TABLE t (a VARCHAR(32) NOT NULL, PRIMARY KEY (a))"],
        [
            "CREATE TABLE t (a BIGINT IDENTITY(1, 1))",
            "CREATE TABLE t (a BIGINT GENERATED BY DEFAULT AS IDENTITY(1, 1))",
        ],
    ),
    "distinct on": Examples(["SELECT DISTINCT a FROM t"], ["SELECT DISTINCT ON (a) a, b FROM t"]),
    "filter": Examples(
        ["SELECT COUNT(CASE WHEN a > 1 THEN 1 END) AS n FROM t"], ["SELECT COUNT(*) FILTER (WHERE a > 1) AS n FROM t"]
    ),
    "lateral": Examples(
        ["SELECT t.a FROM t INNER JOIN (SELECT u.a, COUNT(*) AS n FROM u GROUP BY u.a) AS x ON t.a = x.a"],
        ["SELECT t.a FROM t, LATERAL (SELECT u.b FROM u WHERE u.a = t.a) AS x", "SELECT t.a FROM t CROSS JOIN LATERAL (SELECT 1 AS b) AS x"],  # noqa: E501
    ),
    "values": Examples(
        ["SELECT v.a FROM (SELECT 1 AS a UNION ALL SELECT 2 AS a) AS v"],
        ["SELECT a FROM (VALUES (1), (2)) AS v (a)", "SELECT a FROM t WHERE a IN (VALUES (1), (2))"],
    ),
    "array": Examples(["SELECT a FROM t WHERE a IN (1, 2)"], ["SELECT a[1] AS b FROM t", "SELECT ARRAY[1, 2] AS b"]),
    "row": Examples(
        ["SELECT a FROM t WHERE a = 1 AND b = 2"],
        ["SELECT a FROM t WHERE (a, b) = (1, 2)", "SELECT a FROM t WHERE (a, b) IN (SELECT c, d FROM u)", "SELECT (a, b) AS c FROM t"],  # noqa: E501
    ),
    "frame": Examples(
        [
            "SELECT SUM(a) OVER (PARTITION BY b) AS total FROM t",
            "SELECT SUM(a) OVER (ORDER BY b ROWS UNBOUNDED PRECEDING) AS total FROM t",
            "SELECT ROW_NUMBER() OVER (ORDER BY b NULLS FIRST) AS n FROM t",
        ],
        [
            f"SELECT SUM(a) OVER (ORDER BY b {frame}) AS total FROM t"
            for frame in (
                "",
                "RANGE BETWEEN 1 PRECEDING AND CURRENT ROW",
                "RANGE UNBOUNDED PRECEDING",
                "GROUPS 1 PRECEDING",
                "ROWS UNBOUNDED PRECEDING EXCLUDE CURRENT ROW",
            )
        ],
    ),
    "named window": Examples(
        ["SELECT SUM(a) OVER (PARTITION BY b) AS x FROM t"], ["SELECT SUM(a) OVER w AS x FROM t WINDOW w AS (PARTITION BY b)"]  # noqa: E501
    ),
    "row lock": Examples(["LOCK t; SELECT a FROM t"], ["SELECT a FROM t FOR UPDATE", "SELECT a FROM t FOR SHARE"]),
    "sample": Examples(["SELECT a FROM t WHERE MD5(a) LIKE '0%'"], ["SELECT a FROM t TABLESAMPLE SYSTEM (10)"]),
    "materialized": Examples(
        ["WITH x AS (SELECT a FROM t) SELECT a FROM x"],
        [f"WITH x AS {how} MATERIALIZED (SELECT a FROM t) SELECT a FROM x" for how in ("", "NOT")],
    ),
    "fetch": Examples(["SELECT a FROM t ORDER BY a LIMIT 3"], ["SELECT a FROM t ORDER BY a FETCH FIRST 3 ROWS ONLY"]),
    "distinct from": Examples(
        ["SELECT a FROM t WHERE a <> b OR a IS NULL"],
        ["SELECT a FROM t WHERE a IS DISTINCT FROM b", "SELECT a FROM t WHERE a IS NOT DISTINCT FROM b"],
    ),
    "collation": Examples(["SELECT a FROM t WHERE b < 'x'"], ["SELECT a FROM t WHERE b COLLATE \"C\" < 'x'"]),
    "leader node": Examples(
        [
            "SELECT CURRENT_SCHEMA() AS s",
            "SELECT c.relname FROM pg_class AS c WHERE c.relname = CURRENT_SCHEMA()",
            "SELECT t.table_name FROM information_schema.tables AS t WHERE t.table_schema = CURRENT_SCHEMA()",
        ],
        [
            "SELECT CURRENT_SCHEMA() AS s, a FROM t",
            "INSERT INTO t (a) SELECT CURRENT_SCHEMA() AS a",
            "SELECT NOW() AS s, a FROM t",
            "SELECT AGE(a) AS s FROM t",
        ],
    ),
    "returning": Examples(
        ["DELETE FROM t WHERE a = 1"],
        ["UPDATE t SET a = 1 RETURNING a", "DELETE FROM t RETURNING a", "INSERT INTO t (a) VALUES (1) RETURNING a"],
    ),
    "conflict": Examples([MERGE], ["INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING"]),
    "index": Examples(["CREATE TABLE t (a INTEGER) SORTKEY (a)"], ["CREATE INDEX i ON t (a)", "DROP INDEX i"]),
    "alias": Examples(
        ["DELETE FROM t USING b WHERE t.a = b.a"],
        ["DELETE FROM t AS x WHERE x.a = 1", "UPDATE t AS x SET a = 1", MERGE.replace("t USING", "t AS x USING")],
    ),
    "assignment": Examples(
        ["UPDATE t SET a = 1, b = 2"],
        ["UPDATE t SET (a, b) = (1, 2)", "UPDATE t SET t.a = 1", MERGE.replace("SET a", "SET t.a")],
    ),
    "changed join": Examples(
        ["UPDATE t SET a = b.a FROM b INNER JOIN c ON b.id = c.id WHERE t.id = b.id"],
        [
            "UPDATE t SET a = b.a FROM t AS u LEFT JOIN b ON u.id = b.id WHERE t.id = u.id",
            "DELETE FROM t USING b FULL JOIN c ON b.id = c.id WHERE t.id = b.id",
        ],
    ),
    "merge": Examples(
        [MERGE, MERGE.replace("t.id = b.id", "(t.id = b.id AND t.a = b.a)"), MERGE.replace(MATCHED, "WHEN MATCHED THEN DELETE")],  # noqa: E501
        [
            MERGE.replace(NOT_MATCHED, ""),
            MERGE.replace(MATCHED, ""),
            MERGE.replace("USING b", "USING (SELECT c.id, c.a FROM c) AS b"),
            MERGE.replace("WHEN MATCHED", "WHEN MATCHED AND b.a > t.a"),
            MERGE.replace("t.id = b.id", "t.id > b.id"),
            MERGE.replace("t.id = b.id", "t.id = b.id OR t.a = b.a"),
            f"WITH c AS (SELECT 1 AS a) {MERGE}",
        ],
    ),
    "skipped block": Examples(
        ["SELECT t.a FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.a = t.a)"],
        [
            "SELECT t.a FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE NOT EXISTS (SELECT 1 FROM v WHERE v.a = t.a))",
            "SELECT t.a FROM t WHERE EXISTS (SELECT 1 FROM (SELECT u.a FROM u WHERE u.a = t.a) AS v)",
        ],
    ),
    "correlated join": Examples(
        ["SELECT t.a FROM t LEFT JOIN u ON t.a = u.a AND u.b = (SELECT MAX(v.b) FROM v)"],
        ["SELECT t.a FROM t LEFT JOIN u ON t.a = u.a AND u.b = (SELECT MAX(v.b) FROM v WHERE v.a = u.a)"],
    ),
    "correlated window": Examples(
        ["SELECT t.a FROM t WHERE t.b NOT IN (SELECT SUM(u.b) OVER () FROM u)"],
        ["SELECT t.a FROM t WHERE t.b NOT IN (SELECT SUM(u.b) OVER () FROM u WHERE u.a = t.a)"],
    ),
    "correlated group": Examples(
        ["SELECT t.a, (SELECT COUNT(*) FROM u WHERE u.a = t.a) AS n FROM t"],
        [
            f"SELECT t.a, (SELECT COUNT(*) FROM u WHERE u.a = t.a) AS n FROM t GROUP BY {keys}"
            for keys in ("n, t.a", "1, 2", "t.a, (SELECT COUNT(*) FROM u WHERE u.a = t.a)")
        ],
    ),
    "correlated aggregate": Examples(
        ["SELECT t.a FROM t WHERE t.a IN (SELECT MAX(u.b) FROM u WHERE u.c > t.c GROUP BY u.a)"],
        ["SELECT t.a FROM t WHERE t.a IN (SELECT SUM(u.b) FROM u WHERE u.c > t.c GROUP BY u.a)"],
    ),
    "distribution": Examples(
        [f"CREATE TABLE t (a INTEGER, b INTEGER) {keys}" for keys in ("DISTSTYLE KEY DISTKEY (a)", "DISTKEY (a)", "DISTSTYLE ALL")],  # noqa: E501
        [
            *(f"CREATE TABLE t (a INTEGER, b INTEGER) {keys}" for keys in (
                "DISTSTYLE KEY", "DISTSTYLE EVEN DISTKEY (a)", "DISTSTYLE ALL DISTKEY (a)", "DISTKEY (c)",
                "DISTKEY (a) DISTKEY (b)", "DISTSTYLE ALL DISTSTYLE EVEN",
            )),
            "CREATE TABLE t (a INTEGER DISTKEY, b INTEGER DISTKEY)",
            "CREATE TABLE t (a INTEGER DISTKEY, b INTEGER) DISTSTYLE ALL",
        ],
    ),
    "sort key": Examples(
        ["CREATE TABLE t (a DECIMAL(10, 2), b INTEGER) COMPOUND SORTKEY (a, b)", wide(400, f"SORTKEY ({columns(400)})")],  # noqa: E501
        [
            "CREATE TABLE t (a INTEGER) SORTKEY (b)",
            "CREATE TABLE t (a INTEGER) SORTKEY (a) SORTKEY (a)",
            "CREATE TABLE t (a INTEGER SORTKEY, b INTEGER) SORTKEY (b)",
            wide(401, f"SORTKEY ({columns(401)})"),
            wide(9, f"INTERLEAVED SORTKEY ({columns(9)})"),
        ],
    ),
    "key clause": Examples(
        ["CREATE TABLE t (a INTEGER) DISTKEY (a) SORTKEY (a)"],
        [
            "CREATE TABLE t (a INTEGER DISTKEY SORTKEY, b INTEGER)",
            "CREATE TABLE t (a INTEGER) SORTKEY AUTO",
            "CREATE TABLE t (a INTEGER) INTERLEAVED SORTKEY (a)",
            "CREATE TABLE t (a INTEGER) BACKUP NO",
            "CREATE TABLE t (a INTEGER) ENCODE AUTO",
        ],
    ),
    "foreign key": Examples(
        ["CREATE TABLE t (a INTEGER, PRIMARY KEY (a))"],
        ["CREATE TABLE t (a INTEGER REFERENCES u (a))", "CREATE TABLE t (a INTEGER, FOREIGN KEY (a) REFERENCES u (a))"],
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
