-- The fact table: one row per play, an event with page = 'NextSong'.
--
-- songplay_id is a surrogate key: the MD5 of the natural key (session, item in session). It does not depend on
-- the run that loads the play, as an IDENTITY would.
-- PRIMARY KEY is not enforced by Redshift but trusted by its planner; the load guarantees it.
-- DISTKEY start_time: distributes evenly (milliseconds), and is the key of time, the only dimension that grows
-- with the plays; both are sorted by it, too: a merge join without redistribution. The other dimensions are
-- on every node (DISTSTYLE ALL). song_id, the usual choice, would be skewed: most plays have none, so one slice
-- would hold them all.
-- SORTKEY start_time: most queries filter by time.
CREATE TABLE IF NOT EXISTS songplays (
    -- Surrogate key: the MD5 of session and item in session.
    songplay_id VARCHAR(32) NOT NULL,
    -- Time at which the play started, UTC (time).
    start_time TIMESTAMP NOT NULL,
    -- User who played the song (users). Personal.
    user_id BIGINT,
    -- Subscription of the user at the time of the play: free or paid.
    level VARCHAR(16),
    -- Song that was played (songs); NULL if it is not in the catalogue.
    song_id VARCHAR(32),
    -- Artist of that song (artists); NULL if the song is not in the catalogue.
    artist_id VARCHAR(32),
    -- Session of the user. Personal.
    session_id BIGINT NOT NULL,
    -- Place of the user at the time of the play, as free text. Personal.
    location VARCHAR(1024),
    -- User agent of the browser that played the song. Personal.
    user_agent VARCHAR(2048),
    -- Audit: the interval_time of the source row, which determines the run that owns the play.
    interval_time TIMESTAMP NOT NULL,
    -- Audit: orders the candidates for a row; the highest wins.
    row_version VARCHAR(64) NOT NULL,
    -- Audit: the batch of the matching song (operations.staged_batches); NULL if no song matches.
    song_batch_id BIGINT,
    PRIMARY KEY (songplay_id)
)
DISTSTYLE KEY
DISTKEY (start_time)
SORTKEY (start_time);
