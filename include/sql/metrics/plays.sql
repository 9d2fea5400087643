-- Plays
-- How often songs were played. A play that was delivered twice counts once.
-- Grain: day, level
-- Additive: over days and levels
-- Unit: plays
SELECT
    a.day,
    a.level,
    a.plays AS value
FROM daily_activity AS a
