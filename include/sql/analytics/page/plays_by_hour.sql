-- Plays by hour (UTC), for the latest 336 hours with plays
-- An hour without plays has no row.
SELECT
    h.hour_start,
    h.plays
FROM (
    SELECT
        p.hour AS hour_start,
        CAST(SUM(p.plays) AS BIGINT) AS plays
    FROM hourly_plays AS p
    WHERE {{ scope("p.day", chosen="day") }}
    GROUP BY p.hour
    ORDER BY p.hour DESC
    LIMIT 336
) AS h
ORDER BY h.hour_start ASC;
