-- Retention
-- Share of the users of a cohort who were active in the week of that age. Age 0 is the week of their first active
-- day: 100 %. The latest week may not be over yet.
-- Grain: cohort_week, age
-- Additive: no
-- Unit: %
SELECT
    r.cohort_week,
    r.age,
    r.percent_of_users AS value
FROM weekly_retention AS r
