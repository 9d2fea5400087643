-- How many users of a cohort were active again in later weeks
-- A cohort is the users whose first active day is in that week. Weeks begin on Monday; age 0 is the week of the cohort.
-- Each cohort has a row for each later week in which anybody was active, with 0 users if nobody of it was.
-- Question: do people return, and are newer cohorts better than older ones?
WITH active AS (
    SELECT DISTINCT
        u.user_id,
        CAST(DATE_TRUNC('week', CAST(u.day AS TIMESTAMP)) AS DATE) AS week
    FROM daily_users AS u
),

first_weeks AS (
    SELECT
        a.user_id,
        MIN(a.week) AS cohort_week
    FROM active AS a
    GROUP BY a.user_id
),

returned AS (
    SELECT
        f.cohort_week,
        a.week,
        COUNT(*) AS users
    FROM active AS a
    INNER JOIN first_weeks AS f ON a.user_id = f.user_id
    GROUP BY f.cohort_week, a.week
),

weeks AS (
    SELECT DISTINCT r.week
    FROM returned AS r
)

SELECT
    c.cohort_week,
    CAST((w.week - c.cohort_week) / 7.0 AS BIGINT) AS age,
    COALESCE(r.users, 0) AS users,
    c.users AS cohort_size,
    ROUND(100.0 * COALESCE(r.users, 0) / c.users, 1) AS percent_of_users
FROM returned AS c
INNER JOIN weeks AS w ON c.cohort_week <= w.week
LEFT JOIN returned AS r ON c.cohort_week = r.cohort_week AND w.week = r.week
WHERE c.week = c.cohort_week
