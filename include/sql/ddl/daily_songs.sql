-- How often a song was played on a day.
--
-- Songs and artists have the names that the app sent: most of them are not in the catalogue. An empty name is unknown.
-- DISTSTYLE EVEN: never joined by its text columns.
-- SORTKEY day: most queries filter by time.
CREATE TABLE IF NOT EXISTS daily_songs (
    -- Day, UTC.
    day DATE NOT NULL,
    -- Title of the song.
    song VARCHAR(1024) NOT NULL,
    -- Artist of the song.
    artist VARCHAR(1024) NOT NULL,
    -- Surrogate key of song and artist: the MD5 of each.
    song_key VARCHAR(64) NOT NULL,
    -- Plays.
    plays BIGINT NOT NULL,
    -- Users who played it. Not additive.
    listeners BIGINT NOT NULL,
    PRIMARY KEY (day, song_key)
)
DISTSTYLE EVEN
SORTKEY (day);
