-- Average session
-- Time between the first and the last event of the sessions that began on that day, on average.
-- Grain: day
-- Additive: no
-- Unit: minutes
SELECT
    CAST(s.first_event AS DATE) AS day,
    ROUND(SUM(s.duration) / (60.0 * COUNT(*)), 1) AS value
FROM sessions AS s
GROUP BY CAST(s.first_event AS DATE)
