-- Changes of subscription, by day (UTC)
-- The latest 7 days with a change, by the history of users: from one event of a user to the next.
SELECT
    CAST(c.valid_from AS DATE) AS day,
    COUNT(CASE WHEN c.level = 'paid' THEN 1 END) AS to_paid,
    COUNT(CASE WHEN c.level = 'free' THEN 1 END) AS to_free
FROM (
    SELECT
        h.valid_from,
        h.level,
        LAG(h.level) OVER (PARTITION BY h.user_id ORDER BY h.valid_from ASC) AS former_level
    FROM users_history AS h
) AS c
WHERE c.level <> c.former_level AND {{ scope("c.valid_from") }}
GROUP BY CAST(c.valid_from AS DATE)
ORDER BY day DESC
LIMIT 7;
