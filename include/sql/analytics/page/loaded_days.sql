-- The first and the last day with activity (UTC)
-- NULL if there is none.
SELECT
    MIN(a.day) AS first_day,
    MAX(a.day) AS last_day
FROM daily_activity AS a
WHERE {{ scope("a.day") }};
