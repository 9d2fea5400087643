-- Plays, listeners, sessions and paid plays by day (UTC), and by the part of the day before a time
-- The report shows its day and the 13 before it. A day that is not over is compared with the same part of the others,
-- up to the time of day until which it is loaded.
-- A day without plays has no row.
SELECT
    p.day,
    COUNT(*) AS plays,
    COUNT(DISTINCT p.user_id) AS listeners,
    COUNT(DISTINCT p.session_id) AS sessions,
    COUNT(CASE WHEN p.level = 'paid' THEN 1 END) AS paid_plays,
    COUNT(CASE WHEN p.is_before THEN 1 END) AS plays_before,
    COUNT(DISTINCT CASE WHEN p.is_before THEN p.user_id END) AS listeners_before,
    COUNT(DISTINCT CASE WHEN p.is_before THEN p.session_id END) AS sessions_before,
    COUNT(CASE WHEN p.is_before AND p.level = 'paid' THEN 1 END) AS paid_plays_before
FROM (
    SELECT
        s.user_id,
        s.session_id,
        s.level,
        CAST(s.start_time AS DATE) AS day,
        TO_CHAR(s.start_time, 'HH24:MI:SS') < TO_CHAR(l.loaded_until, 'HH24:MI:SS') AS is_before
    FROM songplays AS s
    CROSS JOIN ({% include "report/_loaded_until.sql" %}) AS l
    WHERE {{ scope("s.start_time", days=14) }}
) AS p
GROUP BY p.day
ORDER BY p.day ASC;
