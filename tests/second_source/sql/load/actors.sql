-- Candidates for actors: every event that someone did. The latest counts; at the same time, the highest id.
SELECT
    e.actor_id,
    e.created_at AS last_seen,
    e.event_type AS last_event_type,
    e.repository_id AS last_repository_id,
    e.interval_time,
    TO_CHAR(e.created_at, 'YYYYMMDDHH24MISSMS') || LPAD(CAST(e.event_id AS VARCHAR(20)), 20, '0')
    || MD5(COALESCE(e.event_type, '') || '|' || COALESCE(CAST(e.repository_id AS VARCHAR(20)), '')) AS row_version
FROM staging_activity AS e
WHERE
    e.actor_id IS NOT NULL
    AND {{ scope("e.interval_time", actor_id="e.actor_id") }}
