-- Candidates for songs: every song object. If two objects describe the same song, a hash of their content decides.
SELECT
    s.song_id,
    s.title,
    s.artist_id,
    s.year,
    s.duration,
    s.batch_id,
    MD5(
        COALESCE(s.title, '') || '|' || s.artist_id || '|' || COALESCE(CAST(s.year AS VARCHAR(11)), '') || '|'
        || COALESCE(CAST(s.duration AS VARCHAR(32)), '')
    ) AS row_version
FROM staging_songs AS s
WHERE {{ scope("s.batch_id", song_id="s.song_id") }}
