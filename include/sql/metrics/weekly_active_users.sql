-- Weekly active users
-- Users with at least one event in that week, from Monday on.
-- Grain: week
-- Additive: no
-- Unit: users
SELECT
    a.week,
    COUNT(*) AS value
FROM (
    SELECT DISTINCT
        u.user_id,
        CAST(DATE_TRUNC('week', CAST(u.day AS TIMESTAMP)) AS DATE) AS week
    FROM daily_users AS u
) AS a
GROUP BY a.week
