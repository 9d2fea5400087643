-- Paid share
-- Share of the plays of that day by users with the paid subscription. A day without plays has no row.
-- Grain: day
-- Additive: no
-- Unit: %
SELECT
    a.day,
    ROUND(100.0 * SUM(CASE WHEN a.level = 'paid' THEN a.plays ELSE 0 END) / SUM(a.plays), 1) AS value
FROM daily_activity AS a
GROUP BY a.day
HAVING SUM(a.plays) > 0
