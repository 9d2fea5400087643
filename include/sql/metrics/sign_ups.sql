-- Sign-ups
-- Users who registered on that day and used the app on it, by their subscription at first.
-- Grain: day, level
-- Additive: over days and levels
-- Unit: users
SELECT
    a.day,
    a.level,
    a.sign_ups AS value
FROM daily_activity AS a
