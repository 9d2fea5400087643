-- Busiest hours of the day (UTC), last 7 days
-- Relative to the hour of the latest play, not to today: the 6 days before it.
-- Invalid timestamps, such as the year 10001, are excluded.
SELECT
    CAST(EXTRACT(HOUR FROM p.hour) AS INTEGER) AS hour,
    CAST(SUM(p.plays) AS BIGINT) AS plays
FROM hourly_plays AS p
WHERE
    {{ scope("p.hour") }}
    AND p.hour >= (
        SELECT MAX(latest.hour) - INTERVAL '6 days' FROM hourly_plays AS latest
        WHERE {{ scope("latest.hour") }}
    )
GROUP BY CAST(EXTRACT(HOUR FROM p.hour) AS INTEGER)
ORDER BY plays DESC, hour ASC
LIMIT 5;
