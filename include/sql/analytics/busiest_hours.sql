-- Busiest hours of the day (UTC), last 7 days
-- Relative to the latest play, not to today: the 6 days before it.
-- Invalid timestamps, such as the year 10001, are excluded.
SELECT
    t.hour,
    COUNT(*) AS plays
FROM songplays AS p
INNER JOIN time AS t ON p.start_time = t.start_time
WHERE
    {{ scope("p.start_time") }}
    AND p.start_time >= (
        SELECT MAX(latest.start_time) - INTERVAL '6 days' FROM songplays AS latest
        WHERE {{ scope("latest.start_time") }}
    )
GROUP BY t.hour
ORDER BY plays DESC, t.hour ASC
LIMIT 5;
