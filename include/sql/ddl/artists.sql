-- One row per artist id. Some artists have several spellings: that of the artist's latest song wins.
--
-- DISTSTYLE ALL: small, joined to every play; a copy on every node keeps the join local.
-- SORTKEY artist_id: the key of joins and lookups.
CREATE TABLE IF NOT EXISTS artists (
    -- Artist id of the catalogue.
    artist_id VARCHAR(32) NOT NULL,
    -- Name of the artist, as the latest song spells it.
    name VARCHAR(1024),
    -- Place that the artist is from, as free text; NULL if unknown.
    location VARCHAR(1024),
    -- Latitude of that place; NULL if unknown. Unit: degrees.
    latitude DOUBLE PRECISION,
    -- Longitude of that place; NULL if unknown. Unit: degrees.
    longitude DOUBLE PRECISION,
    -- Audit: the batch of the source row (operations.staged_batches).
    batch_id BIGINT NOT NULL,
    -- Audit: orders the candidates for a row; the highest wins.
    row_version VARCHAR(128) NOT NULL,
    PRIMARY KEY (artist_id)
)
DISTSTYLE ALL
SORTKEY (artist_id);
