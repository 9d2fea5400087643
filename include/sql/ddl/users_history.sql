-- Who was paying when: one row per user and span of time in which the user's attributes held.
--
-- A user's spans have no gaps and no overlaps from their first event on. Of several events in the same millisecond the
-- last in row_version counts: by number in session, then by content. Join a fact with
-- fact.time >= valid_from AND (fact.time < valid_to OR valid_to IS NULL).
-- DISTSTYLE ALL: small, joined to every play; a copy on every node keeps the join local.
-- SORTKEY user_id, valid_from: the key of joins and lookups.
CREATE TABLE IF NOT EXISTS users_history (
    -- User id of the app (users). Personal.
    user_id BIGINT NOT NULL,
    -- Time from which on the attributes held, inclusive, UTC.
    valid_from TIMESTAMP NOT NULL,
    -- Time until which they held, exclusive, UTC; NULL if they still hold.
    valid_to TIMESTAMP,
    -- Whether they still hold, as of the latest event.
    is_current BOOLEAN NOT NULL,
    -- First name, as the user entered it. Personal.
    first_name VARCHAR(256),
    -- Last name, as the user entered it. Personal.
    last_name VARCHAR(256),
    -- Gender, as the user entered it: F or M. Personal.
    gender VARCHAR(16),
    -- Subscription: free or paid; NULL if the app sent none.
    level VARCHAR(16),
    -- Audit: the first interval_time of the events at the beginning of the span.
    interval_time TIMESTAMP NOT NULL,
    -- Audit: orders the events of the same millisecond; the highest wins.
    row_version VARCHAR(128) NOT NULL,
    -- Audit: the last interval_time of the events at the beginning of the span.
    last_interval_time TIMESTAMP NOT NULL,
    PRIMARY KEY (user_id, valid_from)
)
DISTSTYLE ALL
SORTKEY (user_id, valid_from);
