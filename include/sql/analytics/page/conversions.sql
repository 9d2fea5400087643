-- Sign-ups, upgrades, downgrades and cancellations by day (UTC), for the latest 3,660 days
-- A day without activity has no row.
SELECT
    s.day,
    s.sign_ups,
    u.upgrades,
    d.downgrades,
    c.cancellations,
    r.value AS conversion_rate
FROM (
    SELECT
        m.day,
        CAST(SUM(m.value) AS BIGINT) AS sign_ups
    FROM metrics.sign_ups AS m
    WHERE {{ scope("m.day", chosen="day") }}
    GROUP BY m.day
) AS s
INNER JOIN (
    SELECT
        m.day,
        CAST(SUM(m.value) AS BIGINT) AS upgrades
    FROM metrics.upgrades AS m
    WHERE {{ scope("m.day", chosen="day") }}
    GROUP BY m.day
) AS u ON s.day = u.day
INNER JOIN (
    SELECT
        m.day,
        CAST(SUM(m.value) AS BIGINT) AS downgrades
    FROM metrics.downgrades AS m
    WHERE {{ scope("m.day", chosen="day") }}
    GROUP BY m.day
) AS d ON s.day = d.day
INNER JOIN (
    SELECT
        m.day,
        CAST(SUM(m.value) AS BIGINT) AS cancellations
    FROM metrics.cancellations AS m
    WHERE {{ scope("m.day", chosen="day") }}
    GROUP BY m.day
) AS c ON s.day = c.day
LEFT JOIN metrics.conversion_rate AS r ON s.day = r.day AND {{ scope("r.day", chosen="day") }}
ORDER BY s.day DESC
LIMIT 3660;
