-- Song metadata as delivered: one row per object.
--
-- DISTSTYLE ALL: the catalogue is small and joined to the plays on (title, artist, duration); a copy on every
-- node keeps that join local.
-- SORTKEY batch_id: a load reads the batches that it has not loaded yet.
CREATE TABLE IF NOT EXISTS staging_songs (
    num_songs INTEGER,
    artist_id VARCHAR(32) NOT NULL,
    artist_latitude DOUBLE PRECISION,
    artist_longitude DOUBLE PRECISION,
    artist_location VARCHAR(1024),
    artist_name VARCHAR(1024),
    song_id VARCHAR(32) NOT NULL,
    title VARCHAR(1024),
    duration DOUBLE PRECISION,
    year INTEGER,
    -- Audit: the batch of the row's object (operations.staged_batches).
    batch_id BIGINT NOT NULL DEFAULT 0
)
DISTSTYLE ALL
SORTKEY (batch_id);
