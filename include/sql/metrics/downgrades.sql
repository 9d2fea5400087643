-- Downgrades
-- Downgrades to the free subscription that were submitted, by the subscription before.
-- Grain: day, level
-- Additive: over days and levels
-- Unit: downgrades
SELECT
    a.day,
    a.level,
    a.downgrades AS value
FROM daily_activity AS a
