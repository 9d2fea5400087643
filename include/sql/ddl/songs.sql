-- One row per song of the catalogue. year is 0 if unknown.
--
-- DISTSTYLE ALL: small, joined to every play; a copy on every node keeps the join local.
-- SORTKEY song_id: the key of joins and lookups.
CREATE TABLE IF NOT EXISTS songs (
    -- Song id of the catalogue.
    song_id VARCHAR(32) NOT NULL,
    -- Title of the song.
    title VARCHAR(1024),
    -- Artist of the song (artists).
    artist_id VARCHAR(32) NOT NULL,
    -- Year of the release; 0 if unknown.
    year INTEGER,
    -- Length of the song. Unit: seconds.
    duration DOUBLE PRECISION,
    -- Audit: the batch of the source row (operations.staged_batches).
    batch_id BIGINT NOT NULL,
    -- Audit: orders the candidates for a row; the highest wins.
    row_version VARCHAR(64) NOT NULL,
    PRIMARY KEY (song_id)
)
DISTSTYLE ALL
SORTKEY (song_id);
