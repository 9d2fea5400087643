-- Plays, listeners, sessions and paid plays by day (UTC)
-- The report shows its day and the 13 before it.
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
