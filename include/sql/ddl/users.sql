-- One row per user id in any event; level is that of the user's latest event.
--
-- DISTSTYLE ALL: small, joined to every play; a copy on every node keeps the join local.
-- SORTKEY user_id: the key of joins and lookups.
CREATE TABLE IF NOT EXISTS users (
    -- User id of the app. Personal.
    user_id BIGINT NOT NULL,
    -- First name, as the user entered it. Personal.
    first_name VARCHAR(256),
    -- Last name, as the user entered it. Personal.
    last_name VARCHAR(256),
    -- Gender, as the user entered it: F or M. Personal.
    gender VARCHAR(16),
    -- Subscription as of the user's latest event: free or paid.
    level VARCHAR(16),
    -- Audit: the interval_time of the source row.
    interval_time TIMESTAMP NOT NULL,
    -- Audit: orders the candidates for a row; the highest wins.
    row_version VARCHAR(128) NOT NULL,
    PRIMARY KEY (user_id)
)
DISTSTYLE ALL
SORTKEY (user_id);
