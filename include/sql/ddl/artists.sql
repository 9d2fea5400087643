-- One row per artist id. Some artists have several spellings: that of the artist's latest song wins.
--
-- DISTSTYLE ALL: small, joined to every play; a copy on every node keeps the join local.
-- SORTKEY artist_id: the key of joins and lookups.
CREATE TABLE IF NOT EXISTS artists (
    artist_id VARCHAR(32) NOT NULL,
    name VARCHAR(1024),
    location VARCHAR(1024),
    latitude DOUBLE PRECISION,
    longitude DOUBLE PRECISION,
    -- Audit: the source row.
    batch_id BIGINT NOT NULL,
    row_version VARCHAR(128) NOT NULL,
    PRIMARY KEY (artist_id)
)
DISTSTYLE ALL
SORTKEY (artist_id);
