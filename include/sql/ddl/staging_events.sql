-- The log as delivered: one row per event, duplicates included.
--
-- DISTSTYLE EVEN: an hourly load reads one interval and joins it to small tables only; all slices work equally.
-- SORTKEY interval_time: a run replaces and reads one contiguous interval; zone maps skip the rest of the history.
-- VARCHAR lengths are bytes on Redshift, and unused length costs no storage: declare free text generously.
-- ts, sessionid and itemInSession are the identity of an event: COPY rejects a row without them (error 1213).
-- registration and length have fractions in the source (1540919166796.0, 246.30812).
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
    -- Audit: the partition column, which determines the run that owns the row. It is ts, or the last moment of
    -- the file's period if ts is outside that period.
    interval_time TIMESTAMP NOT NULL DEFAULT '1970-01-01'
)
DISTSTYLE EVEN
SORTKEY (interval_time);
