-- Upgrades
-- Upgrades to the paid subscription that were submitted, by the subscription before.
-- Grain: day, level
-- Additive: over days and levels
-- Unit: upgrades
SELECT
    a.day,
    a.level,
    a.upgrades AS value
FROM daily_activity AS a
