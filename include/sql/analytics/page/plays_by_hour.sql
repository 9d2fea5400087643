-- Plays by hour (UTC), for the 7 days up to the latest play
-- An hour without plays has no row.
SELECT
    DATE_TRUNC('hour', p.start_time) AS hour_start,
    COUNT(*) AS plays
FROM songplays AS p
WHERE
    {{ scope("p.start_time") }}
    AND p.start_time >= (
        SELECT DATE_TRUNC('hour', MAX(latest.start_time)) - INTERVAL '167 hours'
        FROM songplays AS latest
        WHERE {{ scope("latest.start_time") }}
    )
GROUP BY hour_start
ORDER BY hour_start ASC;
