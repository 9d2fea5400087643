-- daily_types
-- The number of events of a type on a day, and of the people behind them.
--
-- DISTSTYLE ALL: small.
CREATE TABLE IF NOT EXISTS daily_types (
    day DATE NOT NULL,
    event_type VARCHAR(64) NOT NULL,
    events BIGINT NOT NULL,
    actors BIGINT NOT NULL,
    PRIMARY KEY (day, event_type)
)
DISTSTYLE ALL
SORTKEY (day);
