-- The log as delivered: one row per event, duplicates included.
--
-- DISTSTYLE EVEN: an hourly load reads one interval and joins it to small tables only; all slices work equally.
-- SORTKEY interval_time: a run replaces and reads one contiguous interval; zone maps skip the rest of the history.
-- VARCHAR lengths are bytes on Redshift, and unused length costs no storage: declare free text generously.
-- ts, sessionid and itemInSession are the identity of an event: COPY rejects a row without them (error 1213).
-- registration and length have fractions in the source (1540919166796.0, 246.30812).
CREATE TABLE IF NOT EXISTS staging_events (
    -- Name of the artist of the song that was played; NULL if the event is not a play.
    artist VARCHAR(1024),
    -- State of the user's login, such as Logged In.
    auth VARCHAR(32),
    -- First name, as the user entered it. Personal.
    firstname VARCHAR(256),
    -- Gender, as the user entered it: F or M. Personal.
    gender VARCHAR(16),
    -- Number of the event in its session, from 0.
    iteminsession INTEGER NOT NULL,
    -- Last name, as the user entered it. Personal.
    lastname VARCHAR(256),
    -- Length of the song that was played; NULL if the event is not a play. Unit: seconds.
    length DOUBLE PRECISION,
    -- Subscription of the user at the time of the event: free or paid.
    level VARCHAR(16),
    -- Place of the user at the time of the event, as free text. Personal.
    location VARCHAR(1024),
    -- Method of the HTTP request: GET or PUT.
    method VARCHAR(16),
    -- Page of the app that was requested; NextSong is a play.
    page VARCHAR(64),
    -- Time at which the user registered, since 1970-01-01 UTC. Unit: milliseconds. Personal.
    registration DOUBLE PRECISION,
    -- Session of the user. Personal.
    sessionid BIGINT NOT NULL,
    -- Title of the song that was played; NULL if the event is not a play.
    song VARCHAR(1024),
    -- Status code of the HTTP response.
    status INTEGER,
    -- Time of the event, UTC.
    ts TIMESTAMP NOT NULL,
    -- User agent of the browser that sent the request. Personal.
    useragent VARCHAR(2048),
    -- User id of the app; NULL if no user was logged in. Personal.
    userid BIGINT,
    -- Audit: the partition column, which determines the run that owns the row. It is ts, or the last moment of
    -- the file's period if ts is outside that period.
    interval_time TIMESTAMP NOT NULL DEFAULT '1970-01-01'
)
DISTSTYLE EVEN
SORTKEY (interval_time);
