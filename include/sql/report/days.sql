-- Plays, listeners, sessions and paid plays by day (UTC), and by the part of the day before a time
-- The figures of whole days are those of the metrics.
-- The report shows its day and the 13 before it. A day that is not over is compared with the same part of the others,
-- up to the time of day until which it is loaded.
-- A day without plays has no row.
SELECT
    d.day,
    d.plays,
    l.value AS listeners,
    COALESCE(s.value, 0) AS sessions,
    d.paid_plays,
    COALESCE(p.plays, 0) AS plays_before,
    COALESCE(p.listeners, 0) AS listeners_before,
    COALESCE(b.sessions, 0) AS sessions_before,
    COALESCE(p.paid_plays, 0) AS paid_plays_before
FROM (
    SELECT
        m.day,
        CAST(SUM(m.value) AS BIGINT) AS plays,
        CAST(SUM(CASE WHEN m.level = 'paid' THEN m.value ELSE 0 END) AS BIGINT) AS paid_plays
    FROM metrics.plays AS m
    WHERE {{ scope("m.day", days=14) }}
    GROUP BY m.day
    HAVING SUM(m.value) > 0
) AS d
LEFT JOIN (
    SELECT
        m.day,
        m.value
    FROM metrics.listeners AS m
    WHERE {{ scope("m.day", days=14) }}
) AS l ON d.day = l.day
LEFT JOIN (
    SELECT
        m.day,
        m.value
    FROM metrics.sessions AS m
    WHERE {{ scope("m.day", days=14) }}
) AS s ON d.day = s.day
LEFT JOIN (
    SELECT
        e.day,
        COUNT(*) AS plays,
        COUNT(DISTINCT e.user_id) AS listeners,
        COUNT(CASE WHEN e.level = 'paid' THEN 1 END) AS paid_plays
    FROM events AS e
    CROSS JOIN ({% include "report/_loaded_until.sql" %}) AS u
    WHERE
        e.page = 'NextSong'
        AND {{ scope("e.day", days=14) }}
        AND TO_CHAR(e.event_time, 'HH24:MI:SS') < TO_CHAR(u.loaded_until, 'HH24:MI:SS')
    GROUP BY e.day
) AS p ON d.day = p.day
LEFT JOIN (
    SELECT
        CAST(f.first_event AS DATE) AS day,
        COUNT(*) AS sessions
    FROM sessions AS f
    CROSS JOIN ({% include "report/_loaded_until.sql" %}) AS u
    WHERE
        {{ scope("f.first_event", days=14) }}
        AND TO_CHAR(f.first_event, 'HH24:MI:SS') < TO_CHAR(u.loaded_until, 'HH24:MI:SS')
    GROUP BY CAST(f.first_event AS DATE)
) AS b ON d.day = b.day
ORDER BY d.day ASC;
