-- Plays by day (UTC) and level
-- A day without plays has no row.
SELECT
    CAST(p.start_time AS DATE) AS day,
    COUNT(*) AS plays,
    COUNT(CASE WHEN p.level = 'paid' THEN 1 END) AS paid_plays
FROM songplays AS p
GROUP BY day
ORDER BY day ASC;
