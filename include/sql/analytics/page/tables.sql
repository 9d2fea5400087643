-- Rows per table, and the time of the newest
-- Songs and artists are not cut by time.
SELECT
    'staging_events' AS table_name,
    COUNT(*) AS row_count,
    MAX(e.interval_time) AS newest
FROM staging_events AS e
UNION ALL
SELECT
    'staging_songs' AS table_name,
    COUNT(*) AS row_count,
    CAST(NULL AS TIMESTAMP) AS newest
FROM staging_songs
UNION ALL
SELECT
    'songplays' AS table_name,
    COUNT(*) AS row_count,
    MAX(p.start_time) AS newest
FROM songplays AS p
UNION ALL
SELECT
    'users' AS table_name,
    COUNT(*) AS row_count,
    MAX(u.interval_time) AS newest
FROM users AS u
UNION ALL
SELECT
    'songs' AS table_name,
    COUNT(*) AS row_count,
    CAST(NULL AS TIMESTAMP) AS newest
FROM songs
UNION ALL
SELECT
    'artists' AS table_name,
    COUNT(*) AS row_count,
    CAST(NULL AS TIMESTAMP) AS newest
FROM artists
UNION ALL
SELECT
    'time' AS table_name,
    COUNT(*) AS row_count,
    MAX(t.start_time) AS newest
FROM time AS t;
