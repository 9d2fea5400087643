-- staging_activity
-- Events of a code hosting site as they were delivered: one row for each line of an hourly file. jsonpaths.json names
-- the element of each column, in this order.
--
-- DISTSTYLE EVEN: loads read whole hours, and no column spreads them better.
-- SORTKEY interval_time: a run reads and replaces the rows of its interval.
CREATE TABLE IF NOT EXISTS staging_activity (
    event_id BIGINT NOT NULL,
    event_type VARCHAR(64),
    actor_id BIGINT,
    repository_id BIGINT,
    repository_name VARCHAR(512),
    organization_id BIGINT,
    commits INTEGER,
    is_public BOOLEAN,
    created_at TIMESTAMP NOT NULL,
    -- Audit: the moment by which a run owns the row. The files do not have it.
    interval_time TIMESTAMP NOT NULL DEFAULT '1970-01-01'
)
DISTSTYLE EVEN
SORTKEY (interval_time);
