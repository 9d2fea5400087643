-- actors
-- One row for everyone who did something, with their latest event.
--
-- DISTSTYLE ALL: joined to every event; a copy on every node keeps the join local.
CREATE TABLE IF NOT EXISTS actors (
    actor_id BIGINT NOT NULL,
    last_seen TIMESTAMP NOT NULL,
    last_event_type VARCHAR(64),
    last_repository_id BIGINT,
    -- Audit: the event that the row was taken from.
    interval_time TIMESTAMP NOT NULL,
    row_version VARCHAR(128) NOT NULL,
    PRIMARY KEY (actor_id)
)
DISTSTYLE ALL
SORTKEY (actor_id);
