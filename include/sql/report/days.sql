-- The last 14 days, up to the day of the report: plays, listeners, sessions, and how many of the plays were paid for
-- A day without plays has no row.
SELECT
    CAST(p.start_time AS DATE) AS day,
    COUNT(*) AS plays,
    COUNT(DISTINCT p.user_id) AS listeners,
    COUNT(DISTINCT p.session_id) AS sessions,
    COUNT(CASE WHEN p.level = 'paid' THEN 1 END) AS paid_plays
FROM songplays AS p
WHERE {{ scope("p.start_time", days=14) }}
GROUP BY day
ORDER BY day ASC;
