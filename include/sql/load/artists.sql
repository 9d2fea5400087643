-- Candidates for artists: the artist of every song. The spelling of the artist's latest song wins, by year, song id and
-- content, independent of the order of arrival.
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
