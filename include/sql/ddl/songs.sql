-- One row per song of the catalogue. year is 0 if unknown.
--
-- DISTSTYLE ALL: small, joined to every play; a copy on every node keeps the join local.
-- SORTKEY song_id: the key of joins and lookups.
CREATE TABLE IF NOT EXISTS songs (
    song_id VARCHAR(32) NOT NULL,
    title VARCHAR(1024),
    artist_id VARCHAR(32) NOT NULL,
    year INTEGER,
    duration DOUBLE PRECISION,
    -- Audit: the source row.
    batch_id BIGINT NOT NULL,
    row_version VARCHAR(64) NOT NULL,
    PRIMARY KEY (song_id)
)
DISTSTYLE ALL
SORTKEY (song_id);
