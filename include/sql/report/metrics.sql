-- Metrics of the day and of the days before it, of the last complete week and of the last complete month
-- A week counts from the day on that is its Sunday, a month from its last day on.
{% set daily = [
    "paid_share", "daily_active_users", "sign_ups", "upgrades", "downgrades", "cancellations", "conversion_rate",
    "listening_hours", "average_session_minutes"
] %}
{% for name in daily %}
    SELECT
        '{{ name }}' AS metric,
        m.day,
        SUM(m.value) AS value
    FROM metrics.{{ name }} AS m
    WHERE {{ scope("m.day", days=8) }}
    GROUP BY m.day
    UNION ALL
{% endfor %}
SELECT
    'weekly_active_users' AS metric,
    w.week AS day,
    w.value
FROM metrics.weekly_active_users AS w
WHERE {{ scope("w.week + INTERVAL '6 days'", days=7) }}
UNION ALL
SELECT
    'monthly_active_users' AS metric,
    n.month AS day,
    n.value
FROM metrics.monthly_active_users AS n
WHERE {{ scope("DATE_TRUNC('month', n.month + INTERVAL '31 days') - INTERVAL '1 day'", days=31) }}
ORDER BY metric ASC, day ASC;
