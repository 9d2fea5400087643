-- Retention: percent of the users of a week who were active again, 1 to 4 weeks later
-- The latest 8 weeks. A week of users whose later week is not loaded yet has no figure there.
SELECT
    w.cohort_week AS week,
    MAX(w.cohort_size) AS users,
    MAX(CASE WHEN w.age = 1 THEN w.percent_of_users END) AS week_1,
    MAX(CASE WHEN w.age = 2 THEN w.percent_of_users END) AS week_2,
    MAX(CASE WHEN w.age = 3 THEN w.percent_of_users END) AS week_3,
    MAX(CASE WHEN w.age = 4 THEN w.percent_of_users END) AS week_4
FROM weekly_retention AS w
WHERE {{ scope("w.cohort_week") }}
GROUP BY w.cohort_week
ORDER BY week DESC
LIMIT 8;
