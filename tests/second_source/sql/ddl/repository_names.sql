-- repository_names
-- One row for each repository and span of time in which it had a name: repositories are renamed.
--
-- DISTSTYLE ALL: joined to every event; a copy on every node keeps the join local.
CREATE TABLE IF NOT EXISTS repository_names (
    repository_id BIGINT NOT NULL,
    valid_from TIMESTAMP NOT NULL,
    valid_to TIMESTAMP,
    is_current BOOLEAN NOT NULL,
    name VARCHAR(512),
    -- Audit: the first interval of the events at the beginning of the span.
    interval_time TIMESTAMP NOT NULL,
    row_version VARCHAR(128) NOT NULL,
    -- Audit: the last interval of these events.
    last_interval_time TIMESTAMP NOT NULL,
    PRIMARY KEY (repository_id, valid_from)
)
DISTSTYLE ALL
SORTKEY (repository_id, valid_from);
