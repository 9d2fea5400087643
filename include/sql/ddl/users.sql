-- One row per user id in any event; level is that of the user's latest event.
--
-- DISTSTYLE ALL: small, joined to every play; a copy on every node keeps the join local.
-- SORTKEY user_id: the key of joins and lookups.
CREATE TABLE IF NOT EXISTS users (
    user_id BIGINT NOT NULL,
    first_name VARCHAR(256),
    last_name VARCHAR(256),
    gender VARCHAR(16),
    level VARCHAR(16),
    -- Audit: the source row.
    interval_time TIMESTAMP NOT NULL,
    row_version VARCHAR(128) NOT NULL,
    PRIMARY KEY (user_id)
)
DISTSTYLE ALL
SORTKEY (user_id);
