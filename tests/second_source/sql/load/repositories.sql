-- Candidates for repositories: every event of one. An event with a name is preferred to one without; then the latest
-- counts, and at the same time the highest id.
SELECT
    e.repository_id,
    e.repository_name AS name,
    e.organization_id,
    e.interval_time,
    CASE WHEN e.repository_name IS NULL THEN '0' ELSE '1' END
    || TO_CHAR(e.created_at, 'YYYYMMDDHH24MISSMS') || LPAD(CAST(e.event_id AS VARCHAR(20)), 20, '0')
    || MD5(
        COALESCE(e.repository_name, '') || '|' || COALESCE(CAST(e.organization_id AS VARCHAR(20)), '')
    ) AS row_version
FROM staging_activity AS e
WHERE
    e.repository_id IS NOT NULL
    AND {{ scope("e.interval_time", repository_id="e.repository_id") }}
