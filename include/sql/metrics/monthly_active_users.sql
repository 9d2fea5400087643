-- Monthly active users
-- Users with at least one event in that month.
-- Grain: month
-- Additive: no
-- Unit: users
SELECT
    a.month,
    COUNT(*) AS value
FROM (
    SELECT DISTINCT
        u.user_id,
        CAST(DATE_TRUNC('month', CAST(u.day AS TIMESTAMP)) AS DATE) AS month
    FROM daily_users AS u
) AS a
GROUP BY a.month
