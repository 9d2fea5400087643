"""SQL that both engines accept with different semantics, and non-deterministic SQL."""

from __future__ import annotations

from tests.unit.sql_rules.examples.example import Examples

EXAMPLES = {
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
}  # fmt: skip
