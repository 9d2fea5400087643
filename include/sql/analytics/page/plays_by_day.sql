-- Plays and paid plays by day (UTC), for the latest 3,660 days with plays
-- A day without plays has no row.
SELECT
    d.day,
    d.plays,
    d.paid_plays
FROM (
    SELECT
        CAST(p.start_time AS DATE) AS day,
        COUNT(*) AS plays,
        COUNT(CASE WHEN p.level = 'paid' THEN 1 END) AS paid_plays
    FROM songplays AS p
    WHERE {{ scope("p.start_time") }}
    GROUP BY day
    ORDER BY day DESC
    LIMIT 3660
) AS d
ORDER BY d.day ASC;
