-- Conversion rate
-- Upgrades of that day per listener with the free subscription. A day without such listeners has no row.
-- Grain: day
-- Additive: no
-- Unit: %
SELECT
    a.day,
    ROUND(100.0 * SUM(a.upgrades) / SUM(CASE WHEN a.level = 'free' THEN a.listeners ELSE 0 END), 1) AS value
FROM daily_activity AS a
GROUP BY a.day
HAVING SUM(CASE WHEN a.level = 'free' THEN a.listeners ELSE 0 END) > 0
