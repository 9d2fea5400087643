-- Rows per table, and the time of the newest
-- Songs and artists are not cut by time.
SELECT
    c.table_name,
    c.row_count,
    c.newest
FROM (
    SELECT
        1 AS place,
        'staging_events' AS table_name,
        COUNT(*) AS row_count,
        MAX(e.interval_time) AS newest
    FROM staging_events AS e
    UNION ALL
    SELECT
        2 AS place,
        'staging_songs' AS table_name,
        COUNT(*) AS row_count,
        CAST(NULL AS TIMESTAMP) AS newest
    FROM staging_songs
    UNION ALL
    SELECT
        3 AS place,
        'songplays' AS table_name,
        COUNT(*) AS row_count,
        MAX(p.start_time) AS newest
    FROM songplays AS p
    UNION ALL
    SELECT
        4 AS place,
        'users' AS table_name,
        COUNT(*) AS row_count,
        MAX(u.interval_time) AS newest
    FROM users AS u
    UNION ALL
    SELECT
        5 AS place,
        'songs' AS table_name,
        COUNT(*) AS row_count,
        CAST(NULL AS TIMESTAMP) AS newest
    FROM songs
    UNION ALL
    SELECT
        6 AS place,
        'artists' AS table_name,
        COUNT(*) AS row_count,
        CAST(NULL AS TIMESTAMP) AS newest
    FROM artists
    UNION ALL
    SELECT
        7 AS place,
        'time' AS table_name,
        COUNT(*) AS row_count,
        MAX(t.start_time) AS newest
    FROM time AS t
) AS c
ORDER BY c.place ASC;
