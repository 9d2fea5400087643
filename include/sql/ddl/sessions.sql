-- One row per session: from its first to its last event, also across hours and days.
--
-- DISTKEY session_id: the same as events.
-- SORTKEY first_event: most queries filter by time.
CREATE TABLE IF NOT EXISTS sessions (
    -- Session of the app. Personal.
    session_id BIGINT NOT NULL,
    -- User of the session: that of its latest event with a user; NULL if nobody was logged in. Personal.
    user_id BIGINT,
    -- Time of its first event, UTC.
    first_event TIMESTAMP NOT NULL,
    -- Time of its last event, UTC.
    last_event TIMESTAMP NOT NULL,
    -- Time between its first and its last event. Unit: seconds.
    duration BIGINT NOT NULL,
    -- Number of plays.
    plays BIGINT NOT NULL,
    -- Number of other pages that were requested. Plays and pages are all events of the session.
    pages BIGINT NOT NULL,
    -- Subscription at its first event: free, paid or unknown.
    level_at_start VARCHAR(16) NOT NULL,
    -- Subscription at its last event: free, paid or unknown.
    level_at_end VARCHAR(16) NOT NULL,
    -- Whether an upgrade was submitted in it.
    is_upgraded BOOLEAN NOT NULL,
    -- Whether a downgrade was submitted in it.
    is_downgraded BOOLEAN NOT NULL,
    PRIMARY KEY (session_id)
)
DISTSTYLE KEY
DISTKEY (session_id)
SORTKEY (first_event);
