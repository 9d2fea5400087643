-- Candidates for activities: every delivery of an event. Of two that differ, the later counts; at the same time, the
-- order of their content decides.
SELECT
    e.event_id,
    e.created_at,
    e.event_type,
    e.actor_id,
    e.repository_id,
    e.organization_id,
    e.commits,
    e.is_public,
    e.interval_time,
    TO_CHAR(e.created_at, 'YYYYMMDDHH24MISSMS')
    || MD5(
        COALESCE(e.event_type, '') || '|' || COALESCE(CAST(e.actor_id AS VARCHAR(20)), '') || '|'
        || COALESCE(CAST(e.repository_id AS VARCHAR(20)), '') || '|'
        || COALESCE(CAST(e.organization_id AS VARCHAR(20)), '') || '|'
        || COALESCE(CAST(e.commits AS VARCHAR(11)), '') || '|'
        || CASE WHEN e.is_public THEN 'public' WHEN NOT e.is_public THEN 'private' ELSE '' END
    ) AS row_version
FROM staging_activity AS e
WHERE {{ scope("e.interval_time", event_id="e.event_id") }}
