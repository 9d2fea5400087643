-- Candidates for users: the latest event of every user id, and all events with the same timestamp; row_version decides.
-- (With all events as candidates the result is the same, but all would have to be versioned and sorted.)
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
INNER JOIN (
    SELECT
        d.userid,
        MAX(d.ts) AS ts
    FROM staging_events AS d
    WHERE
        d.userid IS NOT NULL
        AND {{ scope("d.interval_time", user_id="d.userid") }}
    GROUP BY d.userid
) AS latest ON e.userid = latest.userid AND e.ts = latest.ts
WHERE {{ scope("e.interval_time", user_id="e.userid") }}
