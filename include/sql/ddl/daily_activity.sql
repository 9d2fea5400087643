-- What happened on a day, by subscription: listeners, plays, sessions, sign-ups, upgrades, downgrades, cancellations.
--
-- Days are in UTC. Each event counts under its subscription: a listener who upgrades on that day counts as free and as
-- paid.
-- listeners and sessions are distinct counts: do not add them over days; use daily_users and sessions.
-- DISTSTYLE ALL: small, joined to other daily figures.
-- SORTKEY day: most queries filter by time.
CREATE TABLE IF NOT EXISTS daily_activity (
    -- Day, UTC.
    day DATE NOT NULL,
    -- Subscription at the time of the event: free, paid or unknown.
    level VARCHAR(16) NOT NULL,
    -- Users with a play. Not additive.
    listeners BIGINT NOT NULL,
    -- Plays.
    plays BIGINT NOT NULL,
    -- Sessions with an event. Not additive.
    sessions BIGINT NOT NULL,
    -- Length of the songs that were played, where it is known. Unit: seconds.
    listening_seconds DECIMAL(18, 3) NOT NULL,
    -- Users who registered on that day and used the app on it.
    sign_ups BIGINT NOT NULL,
    -- Upgrades that were submitted.
    upgrades BIGINT NOT NULL,
    -- Downgrades that were submitted.
    downgrades BIGINT NOT NULL,
    -- Accounts that were cancelled: events with the page Cancellation Confirmation.
    cancellations BIGINT NOT NULL,
    PRIMARY KEY (day, level)
)
DISTSTYLE ALL
SORTKEY (day);
