-- Busiest hours of the day (UTC), last 7 days
-- Counted from the latest play, not from today: from 6 days before it up to it.
SELECT
    t.hour,
    COUNT(*) AS plays
FROM songplays AS p
INNER JOIN time AS t ON p.start_time = t.start_time
WHERE p.start_time >= (SELECT MAX(latest.start_time) - INTERVAL '6 days' FROM songplays AS latest)
GROUP BY t.hour
ORDER BY plays DESC, t.hour ASC
LIMIT 5;
