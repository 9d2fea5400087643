-- One row per event of the app: a page that a user requested. Duplicate deliveries count once.
--
-- The identity of an event is its session and its number in it. Of several deliveries the latest counts, as in
-- songplays; if one of them is a play, the others do not count.
-- The source of sessions, daily_activity, daily_songs, daily_users and hourly_plays.
-- length is a DECIMAL: the sums of a DOUBLE PRECISION depend on the order of the rows.
-- DISTKEY session_id: distributes evenly, and groups sessions without redistribution.
-- SORTKEY interval_time: an hourly load reads and replaces one contiguous interval.
CREATE TABLE IF NOT EXISTS events (
    -- Session of the user. Personal.
    session_id BIGINT NOT NULL,
    -- Number of the event in its session, from 0.
    item_in_session INTEGER NOT NULL,
    -- Time of the event, UTC.
    event_time TIMESTAMP NOT NULL,
    -- Day of that time, UTC.
    day DATE NOT NULL,
    -- User (users); NULL if no user was logged in. Personal.
    user_id BIGINT,
    -- Subscription of the user at the time of the event: free or paid; unknown if the app sent none.
    level VARCHAR(16) NOT NULL,
    -- Page of the app that was requested; NextSong is a play. Empty if the app sent none.
    page VARCHAR(64) NOT NULL,
    -- Title of the song that was played, as the app sent it; NULL if the event is not a play.
    song VARCHAR(1024),
    -- Artist of the song that was played, as the app sent it; NULL if the event is not a play.
    artist VARCHAR(1024),
    -- Length of the song that was played, rounded to milliseconds; NULL if it is not between 0 and 86,400, or the event
    -- is not a play. Unit: seconds.
    length DECIMAL(9, 3),
    -- Browser of the user, by its user agent.
    browser VARCHAR(32) NOT NULL,
    -- Whether the user registered on the day of the event, UTC.
    is_registration_day BOOLEAN NOT NULL,
    -- Audit: the interval_time of the source row, which determines the run that owns the event.
    interval_time TIMESTAMP NOT NULL,
    -- Audit: orders the candidates for a row; the highest wins.
    row_version VARCHAR(128) NOT NULL,
    PRIMARY KEY (session_id, item_in_session)
)
DISTSTYLE KEY
DISTKEY (session_id)
SORTKEY (interval_time);

-- Former values of events that have changed, and events outside of the interval of the run that changed them.
--
-- Aggregates read it to find the groups that they have to recompute. Usually there are none: those that all
-- aggregates have loaded are deleted by the next load that records some.
CREATE TABLE IF NOT EXISTS operations.changed_events (
    -- Number of the load that recorded the row, in ascending order.
    change_id BIGINT NOT NULL,
    -- Session of the event. Personal.
    session_id BIGINT NOT NULL,
    -- Time of the event, UTC.
    event_time TIMESTAMP NOT NULL,
    -- Day of the event, UTC.
    day DATE NOT NULL,
    -- User of the event. Personal.
    user_id BIGINT,
    -- Title of the song that was played.
    song VARCHAR(1024),
    -- Artist of the song that was played.
    artist VARCHAR(1024)
)
DISTSTYLE EVEN
SORTKEY (change_id);
