-- Active users by day, week and month (UTC)
-- Weeks and months that the days overlap are whole.
SELECT
    a.unit,
    a.first_day,
    a.users
FROM (
    SELECT
        'day' AS unit,
        d.day AS first_day,
        d.value AS users
    FROM metrics.daily_active_users AS d
    WHERE {{ scope("d.day", chosen="day") }}
    UNION ALL
    SELECT
        'week' AS unit,
        w.week AS first_day,
        w.value AS users
    FROM metrics.weekly_active_users AS w
    WHERE {{ scope("w.week", chosen="week") }}
    UNION ALL
    SELECT
        'month' AS unit,
        m.month AS first_day,
        m.value AS users
    FROM metrics.monthly_active_users AS m
    WHERE {{ scope("m.month", chosen="month") }}
) AS a
ORDER BY a.unit ASC, a.first_day DESC
LIMIT 4000;
