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
    -- Surrogate key of song and artist.
    song_key VARCHAR(32) NOT NULL,
    -- Plays.
    plays BIGINT NOT NULL,
    -- Users who played it. Not additive.
    listeners BIGINT NOT NULL,
    PRIMARY KEY (day, song_key)
)
DISTSTYLE EVEN
SORTKEY (day);

-- Songs whose plays of a day were counted again.
--
-- monthly_songs reads it to find the months that it has to recompute. Those that it has loaded are deleted by the next
-- load of daily_songs.
CREATE TABLE IF NOT EXISTS operations.changed_daily_songs (
    -- Number of the load that recorded the row, in ascending order.
    change_id BIGINT NOT NULL,
    -- Day, UTC.
    day DATE NOT NULL,
    -- Surrogate key of song and artist.
    song_key VARCHAR(32) NOT NULL
)
DISTSTYLE EVEN
SORTKEY (change_id);
