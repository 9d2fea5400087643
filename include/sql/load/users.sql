-- Candidates for users: every event of a user with an id. The latest event wins.
SELECT
    e.userid AS user_id,
    e.firstname AS first_name,
    e.lastname AS last_name,
    e.gender,
    e.level,
    e.interval_time,
    TO_CHAR(e.ts, 'YYYYMMDDHH24MISSMS') || LPAD(CAST(e.iteminsession AS VARCHAR(11)), 11, '0')
    || MD5(
        COALESCE(e.level, '') || '|' || COALESCE(e.firstname, '') || '|'
        || COALESCE(e.lastname, '') || '|' || COALESCE(e.gender, '')
    ) AS row_version
FROM staging_events AS e
WHERE
    e.userid IS NOT NULL
    AND {{ scope("e.interval_time", user_id="e.userid") }}
