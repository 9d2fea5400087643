{% set songplay_id = "MD5(CAST(e.sessionid AS VARCHAR(20)) || '-' || CAST(e.iteminsession AS VARCHAR(11)))" %}
-- Candidates for songplays: every delivery of a play, with its song if the catalogue has it.
SELECT
    {{ songplay_id }} AS songplay_id,
    e.ts AS start_time,
    e.userid AS user_id,
    e.level,
    s.song_id,
    s.artist_id,
    e.sessionid AS session_id,
    e.location,
    e.useragent AS user_agent,
    e.interval_time,
    TO_CHAR(e.ts, 'YYYYMMDDHH24MISSMS')
    || MD5(
        COALESCE(CAST(e.userid AS VARCHAR(20)), '') || '|' || COALESCE(e.level, '') || '|'
        || COALESCE(e.song, '') || '|' || COALESCE(e.artist, '') || '|'
        || COALESCE(CAST(e.length AS VARCHAR(32)), '') || '|'
        || COALESCE(e.location, '') || '|' || COALESCE(e.useragent, '')
    ) AS row_version,
    s.batch_id AS song_batch_id
FROM staging_events AS e
LEFT JOIN (
    -- Only songs that are already in songs; others are linked by a later run.
    SELECT
        c.title,
        c.artist_name,
        c.duration,
        c.song_id,
        c.artist_id,
        c.batch_id
    FROM staging_songs AS c
    INNER JOIN operations.loaded_batches AS l ON c.batch_id = l.batch_id AND l.table_name = 'songs'
) AS s
    -- RTRIM: some titles have trailing blanks, which Redshift ignores and PostgreSQL does not.
    ON
        RTRIM(e.song) = RTRIM(s.title)
        AND RTRIM(e.artist) = RTRIM(s.artist_name)
        AND e.length = s.duration
WHERE
    e.page = 'NextSong'
    AND {{ scope("e.interval_time", lookup="s.batch_id", songplay_id=songplay_id, session_id="e.sessionid") }}
