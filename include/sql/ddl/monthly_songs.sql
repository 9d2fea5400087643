-- How often a song was played in a month.
--
-- Long periods are read from here: it has a row where daily_songs has up to 31. The latest month is not over yet.
-- DISTSTYLE EVEN: never joined by its text columns.
-- SORTKEY month: most queries filter by time.
CREATE TABLE IF NOT EXISTS monthly_songs (
    -- First day of the month, UTC.
    month DATE NOT NULL,
    -- Title of the song.
    song VARCHAR(1024) NOT NULL,
    -- Artist of the song.
    artist VARCHAR(1024) NOT NULL,
    -- Surrogate key of song and artist.
    song_key VARCHAR(32) NOT NULL,
    -- Plays.
    plays BIGINT NOT NULL,
    PRIMARY KEY (month, song_key)
)
DISTSTYLE EVEN
SORTKEY (month);
