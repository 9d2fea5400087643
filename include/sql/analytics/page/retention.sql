-- Retention: how many of the users of a week were active in the weeks after it
-- The share is that of metrics.retention. The latest weeks of the chosen days.
SELECT
    r.cohort_week,
    r.age,
    r.percent_of_users,
    r.cohort_size
FROM weekly_retention AS r
WHERE
    {{ scope("r.cohort_week", chosen="week") }}
    AND {{ scope("r.cohort_week + CAST(7 * r.age AS INTEGER)") }}
ORDER BY r.cohort_week DESC, r.age ASC
LIMIT 3660;
