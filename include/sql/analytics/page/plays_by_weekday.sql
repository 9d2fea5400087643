-- Plays by weekday (1 is Monday) and hour of the day (UTC)
-- A weekday and hour without plays has no row.
SELECT
    MOD(CAST(EXTRACT(DOW FROM h.hour_start) AS INTEGER) + 6, 7) + 1 AS weekday,
    CAST(EXTRACT(HOUR FROM h.hour_start) AS INTEGER) AS hour,
    CAST(SUM(h.plays) AS BIGINT) AS plays
FROM (
    SELECT
        p.hour AS hour_start,
        SUM(p.plays) AS plays
    FROM hourly_plays AS p
    WHERE {{ scope("p.day", chosen="day") }}
    GROUP BY p.hour
) AS h
GROUP BY weekday, hour
ORDER BY weekday ASC, hour ASC;
