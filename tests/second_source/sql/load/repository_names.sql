-- Candidates for repository_names: every event that has the name of its repository. At the same time, the highest id
-- counts.
SELECT
    e.repository_id,
    e.created_at AS valid_from,
    e.repository_name AS name,
    e.interval_time,
    TO_CHAR(e.created_at, 'YYYYMMDDHH24MISSMS') || LPAD(CAST(e.event_id AS VARCHAR(20)), 20, '0')
    || MD5(e.repository_name) AS row_version
FROM staging_activity AS e
WHERE
    e.repository_id IS NOT NULL
    AND e.repository_name IS NOT NULL
    AND {{ scope("e.interval_time", repository_id="e.repository_id", valid_from="e.created_at") }}
