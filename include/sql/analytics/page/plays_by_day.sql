-- Plays by day (UTC), for the latest 3,660 days with plays
-- A day without plays has no row.
SELECT
    d.day,
    d.plays
FROM (
    SELECT
        p.day,
        CAST(SUM(p.value) AS BIGINT) AS plays
    FROM metrics.plays AS p
    WHERE {{ scope("p.day", chosen="day") }}
    GROUP BY p.day
    HAVING SUM(p.value) > 0
    ORDER BY p.day DESC
    LIMIT 3660
) AS d
ORDER BY d.day ASC;
