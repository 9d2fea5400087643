-- The fact: one row a play, that is every event with page = 'NextSong'.
--
-- songplay_id is the MD5 of the natural key (session, item in session): the same play has the same id
-- in whichever run, order or repetition it is loaded. An IDENTITY would not.
-- PRIMARY KEY is not enforced by Redshift but trusted by its planner; the load keeps it true.
-- DISTKEY start_time: spreads evenly (milliseconds), and is the key of time, the one dimension that grows
-- with the plays; sorted by it too, the two join by merge, without redistribution. The other dimensions are
-- on every node (DISTSTYLE ALL). song_id would be the usual choice and a bad one: most plays have none, so
-- one slice would hold them all.
-- SORTKEY start_time: analysts ask by time.
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
    -- Audit: the staging row that the play was taken from.
    interval_time TIMESTAMP NOT NULL,
    row_version VARCHAR(64) NOT NULL,
    -- Audit: the batch of the song that was found.
    song_batch_id BIGINT,
    PRIMARY KEY (songplay_id)
)
DISTSTYLE KEY
DISTKEY (start_time)
SORTKEY (start_time);
