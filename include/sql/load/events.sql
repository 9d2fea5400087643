-- Candidates for events: every delivery of an event. A play outranks other pages, so that plays are those of songplays.
-- The order of the conditions for the browser matters: Chrome also claims to be Safari, Edge and Opera also claim to be
-- Chrome.
{% set first_moment = "(CAST(e.ts AS DATE) - CAST('1970-01-01' AS DATE)) * 86400000.0" %}
SELECT
    e.sessionid AS session_id,
    e.iteminsession AS item_in_session,
    e.ts AS event_time,
    CAST(e.ts AS DATE) AS day,
    e.userid AS user_id,
    COALESCE(e.level, 'unknown') AS level,
    COALESCE(e.page, '') AS page,
    CASE WHEN e.page = 'NextSong' THEN RTRIM(e.song) END AS song,
    CASE WHEN e.page = 'NextSong' THEN RTRIM(e.artist) END AS artist,
    CASE
        WHEN e.page = 'NextSong' AND e.length >= 0 AND e.length <= 86400 THEN CAST(e.length AS DECIMAL(9, 3))
    END AS length,
    CASE
        WHEN e.useragent LIKE '%MSIE %' OR e.useragent LIKE '%Trident/%' THEN 'Internet Explorer'
        WHEN e.useragent LIKE '%Edg/%' OR e.useragent LIKE '%Edge/%' THEN 'Edge'
        WHEN e.useragent LIKE '%OPR/%' OR e.useragent LIKE 'Opera%' THEN 'Opera'
        WHEN e.useragent LIKE '%Firefox/%' OR e.useragent LIKE '%FxiOS/%' THEN 'Firefox'
        WHEN e.useragent LIKE '%Chrome/%' OR e.useragent LIKE '%CriOS/%' THEN 'Chrome'
        WHEN e.useragent LIKE '%Safari/%' THEN 'Safari'
        ELSE 'Other'
    END AS browser,
    CASE
        WHEN e.registration >= {{ first_moment }} AND e.registration < {{ first_moment }} + 86400000.0 THEN TRUE
        ELSE FALSE
    END AS is_registration_day,
    e.interval_time,
    CASE WHEN e.page = 'NextSong' THEN '1' ELSE '0' END || TO_CHAR(e.ts, 'YYYYMMDDHH24MISSMS')
    -- The order of songplays.
    || MD5(
        COALESCE(CAST(e.userid AS VARCHAR(20)), '') || '|' || COALESCE(e.level, '') || '|'
        || COALESCE(e.song, '') || '|' || COALESCE(e.artist, '') || '|'
        || COALESCE(CAST(e.length AS VARCHAR(32)), '') || '|'
        || COALESCE(e.location, '') || '|' || COALESCE(e.useragent, '')
    )
    -- What else distinguishes events.
    || MD5(COALESCE(e.page, '') || '|' || COALESCE(CAST(e.registration AS VARCHAR(32)), '')) AS row_version
FROM staging_events AS e
WHERE {{ scope("e.interval_time", session_id="e.sessionid", item_in_session="e.iteminsession") }}
