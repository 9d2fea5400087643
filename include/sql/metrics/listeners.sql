-- Listeners
-- Users with at least one play on that day.
-- Grain: day
-- Additive: no
-- Unit: users
SELECT
    u.day,
    COUNT(CASE WHEN u.plays > 0 THEN 1 END) AS value
FROM daily_users AS u
GROUP BY u.day
