-- Candidates for users_history: what every event says about its user. They are ordered as those of users, whose row is
-- therefore that of the current span.
SELECT
    e.userid AS user_id,
    e.ts AS valid_from,
    RTRIM(e.firstname) AS first_name,
    RTRIM(e.lastname) AS last_name,
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
    AND {{ scope("e.interval_time", user_id="e.userid", valid_from="e.ts") }}
