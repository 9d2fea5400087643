-- The events of a day, by type.
SELECT
    CAST(a.created_at AS DATE) AS day,
    COALESCE(a.event_type, '') AS event_type,
    COUNT(*) AS events,
    COUNT(DISTINCT a.actor_id) AS actors
FROM activities AS a
WHERE {{ scope("a.interval_time", day="CAST(a.created_at AS DATE)") }}
GROUP BY CAST(a.created_at AS DATE), COALESCE(a.event_type, '')
