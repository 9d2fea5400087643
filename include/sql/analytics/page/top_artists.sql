-- Top 10 artists by plays, with the app's names: most plays are of songs that are not in the catalogue
-- Duplicate deliveries of a play count once.
SELECT
    e.artist,
    COUNT(*) AS plays
FROM (
    SELECT DISTINCT
        d.sessionid,
        d.iteminsession,
        RTRIM(d.artist) AS artist
    FROM staging_events AS d
    WHERE d.page = 'NextSong'
) AS e
GROUP BY e.artist
ORDER BY plays DESC, e.artist ASC
LIMIT 10;
