-- Daily active users
-- Users with at least one event on that day.
-- Grain: day
-- Additive: no
-- Unit: users
SELECT
    u.day,
    COUNT(*) AS value
FROM daily_users AS u
GROUP BY u.day
