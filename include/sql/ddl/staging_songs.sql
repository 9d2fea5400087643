-- Song metadata as delivered: one row per object.
--
-- DISTSTYLE ALL: the catalogue is small and joined to the plays on (title, artist, duration); a copy on every
-- node keeps that join local.
-- SORTKEY batch_id: a load reads the batches that it has not loaded yet.
CREATE TABLE IF NOT EXISTS staging_songs (
    -- Number of songs in the object.
    num_songs INTEGER,
    -- Artist id of the catalogue.
    artist_id VARCHAR(32) NOT NULL,
    -- Latitude of the artist's place; NULL if unknown. Unit: degrees.
    artist_latitude DOUBLE PRECISION,
    -- Longitude of the artist's place; NULL if unknown. Unit: degrees.
    artist_longitude DOUBLE PRECISION,
    -- Place that the artist is from, as free text.
    artist_location VARCHAR(1024),
    -- Name of the artist, as this song spells it.
    artist_name VARCHAR(1024),
    -- Song id of the catalogue.
    song_id VARCHAR(32) NOT NULL,
    -- Title of the song.
    title VARCHAR(1024),
    -- Length of the song. Unit: seconds.
    duration DOUBLE PRECISION,
    -- Year of the release; 0 if unknown.
    year INTEGER,
    -- Audit: the batch of the row's object (operations.staged_batches).
    batch_id BIGINT NOT NULL DEFAULT 0
)
DISTSTYLE ALL
SORTKEY (batch_id);
