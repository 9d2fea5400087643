-- Plays per hour (UTC)
-- An hour without plays has no row.
SELECT
    DATE_TRUNC('hour', p.start_time) AS hour_start,
    COUNT(*) AS plays
FROM songplays AS p
GROUP BY hour_start
ORDER BY hour_start ASC;
