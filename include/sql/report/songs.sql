-- Top 10 songs by plays, with the app's names: most plays are of songs that are not in the catalogue
-- Duplicate deliveries of a play count once.
SELECT
    RTRIM(e.song) AS song,
    RTRIM(e.artist) AS artist,
    COUNT(DISTINCT p.songplay_id) AS plays
FROM songplays AS p
INNER JOIN staging_events AS e
    ON
        p.start_time = e.ts
        AND p.session_id = e.sessionid
        AND p.songplay_id
        = MD5(CAST(e.sessionid AS VARCHAR(20)) || '-' || CAST(e.iteminsession AS VARCHAR(11)))
WHERE
    e.page = 'NextSong'
    AND {{ scope("p.start_time") }}
GROUP BY RTRIM(e.song), RTRIM(e.artist)
ORDER BY plays DESC, song ASC, artist ASC
LIMIT 10;
