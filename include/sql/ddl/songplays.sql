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
    songplay_id VARCHAR(32) NOT NULL,
    start_time TIMESTAMP NOT NULL,
    user_id BIGINT,
    level VARCHAR(16),
    song_id VARCHAR(32),
    artist_id VARCHAR(32),
    session_id BIGINT NOT NULL,
    location VARCHAR(1024),
    user_agent VARCHAR(2048),
    -- Audit: the source row.
    interval_time TIMESTAMP NOT NULL,
    row_version VARCHAR(64) NOT NULL,
    -- Audit: the batch of the matching song.
    song_batch_id BIGINT,
    PRIMARY KEY (songplay_id)
)
DISTSTYLE KEY
DISTKEY (start_time)
SORTKEY (start_time);
