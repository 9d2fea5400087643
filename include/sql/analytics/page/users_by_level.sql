-- Users by level, as of their latest event
SELECT
    COALESCE(u.level, 'unknown') AS level,
    COUNT(*) AS users
FROM users AS u
GROUP BY COALESCE(u.level, 'unknown')
ORDER BY users DESC, level ASC;
