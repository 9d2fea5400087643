-- The log as it was delivered: one row an event, duplicates included.
--
-- DISTSTYLE EVEN: an hourly load reads one block of time and joins it to small tables only; every slice does its share.
-- SORTKEY interval_time: a run replaces and reads one contiguous interval; zone maps skip the rest of the history.
-- VARCHAR lengths are bytes on Redshift, and memory is only used for what is stored: be generous with free text.
-- ts, sessionid and itemInSession are the identity of an event: COPY rejects a row without them (error 1213).
-- registration and length keep the fractions that the source writes (1540919166796.0, 246.30812).
CREATE TABLE IF NOT EXISTS staging_events (
    artist VARCHAR(1024),
    auth VARCHAR(32),
    firstname VARCHAR(256),
    gender VARCHAR(16),
    iteminsession INTEGER NOT NULL,
    lastname VARCHAR(256),
    length DOUBLE PRECISION,
    level VARCHAR(16),
    location VARCHAR(1024),
    method VARCHAR(16),
    page VARCHAR(64),
    registration DOUBLE PRECISION,
    sessionid BIGINT NOT NULL,
    song VARCHAR(1024),
    status INTEGER,
    ts TIMESTAMP NOT NULL,
    useragent VARCHAR(2048),
    userid BIGINT,
    -- Audit: the moment by which a run owns the row. It is ts, or, for an event that lies outside
    -- the period of the file that delivered it, the last moment of that period.
    interval_time TIMESTAMP NOT NULL DEFAULT '1970-01-01'
)
DISTSTYLE EVEN
SORTKEY (interval_time);
