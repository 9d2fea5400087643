-- Plays by hour of the day (UTC) and level
SELECT
    CAST(EXTRACT(HOUR FROM p.hour) AS INTEGER) AS hour,
    CAST(SUM(p.plays) AS BIGINT) AS plays,
    CAST(SUM(CASE WHEN p.level = 'paid' THEN p.plays ELSE 0 END) AS BIGINT) AS paid_plays
FROM hourly_plays AS p
WHERE {{ scope("p.hour") }}
GROUP BY CAST(EXTRACT(HOUR FROM p.hour) AS INTEGER)
ORDER BY hour ASC;
