-- Plays of an hour, by subscription and browser.
--
-- DISTSTYLE ALL: small.
-- SORTKEY day: most queries filter by time.
CREATE TABLE IF NOT EXISTS hourly_plays (
    -- Start of the hour, UTC.
    hour TIMESTAMP NOT NULL,
    -- Day of that hour, UTC.
    day DATE NOT NULL,
    -- Subscription at the time of the play: free, paid or unknown.
    level VARCHAR(16) NOT NULL,
    -- Browser of the user, by its user agent.
    browser VARCHAR(32) NOT NULL,
    -- Plays.
    plays BIGINT NOT NULL,
    PRIMARY KEY (hour, level, browser)
)
DISTSTYLE ALL
SORTKEY (day);
