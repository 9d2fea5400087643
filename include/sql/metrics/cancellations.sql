-- Cancellations
-- Accounts that were cancelled, by their subscription.
-- Grain: day, level
-- Additive: over days and levels
-- Unit: accounts
SELECT
    a.day,
    a.level,
    a.cancellations AS value
FROM daily_activity AS a
