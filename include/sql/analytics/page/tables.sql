-- Rows per table, the time of the newest, and how many have a time that cannot be true: before 1970 or in the future
-- Songs and artists are not cut by time.
SELECT
    c.table_name,
    c.row_count,
    c.newest,
    c.implausible
FROM (
    SELECT
        1 AS place,
        'staging_events' AS table_name,
        COUNT(*) AS row_count,
        MAX(CASE WHEN {{ scope("e.interval_time") }} THEN e.interval_time END) AS newest,
        COUNT(*) - COUNT(CASE WHEN {{ scope("e.ts") }} THEN 1 END) AS implausible
    FROM staging_events AS e
    UNION ALL
    SELECT
        2 AS place,
        'staging_songs' AS table_name,
        COUNT(*) AS row_count,
        CAST(NULL AS TIMESTAMP) AS newest,
        CAST(0 AS BIGINT) AS implausible
    FROM staging_songs
    UNION ALL
    SELECT
        3 AS place,
        'songplays' AS table_name,
        COUNT(*) AS row_count,
        MAX(CASE WHEN {{ scope("p.start_time") }} THEN p.start_time END) AS newest,
        COUNT(*) - COUNT(CASE WHEN {{ scope("p.start_time") }} THEN 1 END) AS implausible
    FROM songplays AS p
    UNION ALL
    SELECT
        4 AS place,
        'users' AS table_name,
        COUNT(*) AS row_count,
        MAX(CASE WHEN {{ scope("u.interval_time") }} THEN u.interval_time END) AS newest,
        COUNT(*) - COUNT(CASE WHEN {{ scope("u.interval_time") }} THEN 1 END) AS implausible
    FROM users AS u
    UNION ALL
    SELECT
        5 AS place,
        'songs' AS table_name,
        COUNT(*) AS row_count,
        CAST(NULL AS TIMESTAMP) AS newest,
        CAST(0 AS BIGINT) AS implausible
    FROM songs
    UNION ALL
    SELECT
        6 AS place,
        'artists' AS table_name,
        COUNT(*) AS row_count,
        CAST(NULL AS TIMESTAMP) AS newest,
        CAST(0 AS BIGINT) AS implausible
    FROM artists
    UNION ALL
    SELECT
        7 AS place,
        'time' AS table_name,
        COUNT(*) AS row_count,
        MAX(CASE WHEN {{ scope("t.start_time") }} THEN t.start_time END) AS newest,
        COUNT(*) - COUNT(CASE WHEN {{ scope("t.start_time") }} THEN 1 END) AS implausible
    FROM time AS t
) AS c
ORDER BY c.place ASC;
