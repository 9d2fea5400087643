-- The ten most played songs, as the app names them: most plays are of songs that the catalogue does not know
-- The log may hold a play several times; it counts once.
SELECT
    e.song,
    e.artist,
    COUNT(*) AS plays
FROM (
    SELECT DISTINCT
        d.sessionid,
        d.iteminsession,
        RTRIM(d.song) AS song,
        RTRIM(d.artist) AS artist
    FROM staging_events AS d
    WHERE d.page = 'NextSong'
) AS e
GROUP BY e.song, e.artist
ORDER BY plays DESC, e.song ASC, e.artist ASC
LIMIT 10;
