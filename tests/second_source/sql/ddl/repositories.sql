-- repositories
-- One row for each repository, with the name of its latest event that has one: repositories are renamed.
--
-- DISTSTYLE ALL: joined to every event; a copy on every node keeps the join local.
CREATE TABLE IF NOT EXISTS repositories (
    repository_id BIGINT NOT NULL,
    name VARCHAR(512),
    organization_id BIGINT,
    -- Audit: the event that the row was taken from.
    interval_time TIMESTAMP NOT NULL,
    row_version VARCHAR(128) NOT NULL,
    PRIMARY KEY (repository_id)
)
DISTSTYLE ALL
SORTKEY (repository_id);
