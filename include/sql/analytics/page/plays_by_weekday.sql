-- Plays by weekday (1 is Monday) and hour of the day (UTC)
-- Plays are grouped by hour first, so that EXTRACT runs on few rows.
SELECT
    MOD(CAST(EXTRACT(DOW FROM h.hour_start) AS INTEGER) + 6, 7) + 1 AS weekday,
    CAST(EXTRACT(HOUR FROM h.hour_start) AS INTEGER) AS hour,
    CAST(SUM(h.plays) AS BIGINT) AS plays
FROM (
    SELECT
        DATE_TRUNC('hour', p.start_time) AS hour_start,
        COUNT(*) AS plays
    FROM songplays AS p
    WHERE {{ scope("p.start_time") }}
    GROUP BY hour_start
) AS h
GROUP BY weekday, hour
ORDER BY weekday ASC, hour ASC;
