-- Most played songs
-- Only plays whose song is in the catalogue.
SELECT
    RTRIM(s.title) AS song,
    RTRIM(a.name) AS artist,
    COUNT(*) AS plays
FROM songplays AS p
INNER JOIN songs AS s ON p.song_id = s.song_id
INNER JOIN artists AS a ON p.artist_id = a.artist_id
GROUP BY s.song_id, RTRIM(s.title), RTRIM(a.name)
ORDER BY plays DESC, song ASC, artist ASC
LIMIT 5;
