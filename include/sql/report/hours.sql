-- Plays by hour of the day (UTC) and level
SELECT
    t.hour,
    COUNT(*) AS plays,
    COUNT(CASE WHEN p.level = 'paid' THEN 1 END) AS paid_plays
FROM songplays AS p
INNER JOIN time AS t ON p.start_time = t.start_time
WHERE {{ scope("p.start_time") }}
GROUP BY t.hour
ORDER BY t.hour ASC;
