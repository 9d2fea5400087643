-- One row an artist id. Sources spell some artists in several ways: the spelling of the artist's latest song wins.
--
-- DISTSTYLE ALL: small, joined to every play; a copy on every node keeps the join local.
-- SORTKEY artist_id: the key of joins and look-ups.
CREATE TABLE IF NOT EXISTS artists (
    artist_id VARCHAR(32) NOT NULL,
    name VARCHAR(1024),
    location VARCHAR(1024),
    latitude DOUBLE PRECISION,
    longitude DOUBLE PRECISION,
    -- Audit: the staging row that the artist was taken from.
    batch_id BIGINT NOT NULL,
    row_version VARCHAR(128) NOT NULL,
    PRIMARY KEY (artist_id)
)
DISTSTYLE ALL
SORTKEY (artist_id);
