-- activities
-- The fact: one row for each event.
--
-- DISTKEY event_id: spreads evenly. The dimensions are on every node.
-- SORTKEY created_at: analysts filter by time.
CREATE TABLE IF NOT EXISTS activities (
    event_id BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    event_type VARCHAR(64),
    actor_id BIGINT,
    repository_id BIGINT,
    organization_id BIGINT,
    commits INTEGER,
    is_public BOOLEAN,
    -- Audit: the staging row that the event was taken from.
    interval_time TIMESTAMP NOT NULL,
    row_version VARCHAR(64) NOT NULL,
    PRIMARY KEY (event_id)
)
DISTSTYLE KEY
DISTKEY (event_id)
SORTKEY (created_at);

-- operations.changed_activities
-- The changes of activities that daily_types has not loaded yet.
--
-- DISTSTYLE EVEN: usually empty.
CREATE TABLE IF NOT EXISTS operations.changed_activities (
    change_id BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL
)
DISTSTYLE EVEN
SORTKEY (change_id);
