-- Paid share of plays and listeners by day (UTC), for the latest 3,660 days with plays
-- A listener counts as paid if they had a play with the paid subscription on that day.
SELECT
    p.day,
    p.value AS percent_of_plays,
    ROUND(100.0 * d.paid_listeners / l.value, 1) AS percent_of_listeners,
    d.paid_plays,
    d.plays,
    d.paid_listeners,
    l.value AS listeners
FROM metrics.paid_share AS p
INNER JOIN metrics.listeners AS l ON p.day = l.day
INNER JOIN (
    SELECT
        a.day,
        CAST(SUM(a.plays) AS BIGINT) AS plays,
        CAST(SUM(CASE WHEN a.level = 'paid' THEN a.plays ELSE 0 END) AS BIGINT) AS paid_plays,
        CAST(SUM(CASE WHEN a.level = 'paid' THEN a.listeners ELSE 0 END) AS BIGINT) AS paid_listeners
    FROM daily_activity AS a
    WHERE {{ scope("a.day", chosen="day") }}
    GROUP BY a.day
) AS d ON p.day = d.day
WHERE
    {{ scope("p.day", chosen="day") }}
    AND {{ scope("l.day", chosen="day") }}
    AND l.value > 0
ORDER BY p.day DESC
LIMIT 3660;
