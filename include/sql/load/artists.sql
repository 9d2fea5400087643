-- Candidates for artists: every song names its artist. The spelling of the artist's latest song wins: the year
-- first, then the song id, then the content, so that the order in which songs arrive does not matter.
SELECT
    s.artist_id,
    s.artist_name AS name,
    s.artist_location AS location,
    s.artist_latitude AS latitude,
    s.artist_longitude AS longitude,
    s.batch_id,
    LPAD(CAST(COALESCE(s.year, 0) AS VARCHAR(11)), 11, '0') || s.song_id
    || MD5(
        COALESCE(s.artist_name, '') || '|' || COALESCE(s.artist_location, '') || '|'
        || COALESCE(CAST(s.artist_latitude AS VARCHAR(32)), '') || '|'
        || COALESCE(CAST(s.artist_longitude AS VARCHAR(32)), '')
    ) AS row_version
FROM staging_songs AS s
WHERE {{ scope("s.batch_id", artist_id="s.artist_id") }}
