-- Top 10 songs by plays, with the app's names: most plays are of songs that are not in the catalogue
-- Duplicate deliveries of a play count once.
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
