-- Listening hours
-- Length of the songs that were played, where it is known.
-- Grain: day, level
-- Additive: over days and levels
-- Unit: hours
SELECT
    a.day,
    a.level,
    ROUND(a.listening_seconds / 3600.0, 4) AS value
FROM daily_activity AS a
