-- Sessions
-- Sessions that began on that day, whole: also if they end on a later day.
-- Grain: day
-- Additive: over days
-- Unit: sessions
SELECT
    CAST(s.first_event AS DATE) AS day,
    COUNT(*) AS value
FROM sessions AS s
GROUP BY CAST(s.first_event AS DATE)
