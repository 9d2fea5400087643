-- Top 10 artists by plays, with the app's names: most plays are of songs that are not in the catalogue
-- The name of an unknown artist is empty.
SELECT
    RTRIM(s.artist) AS artist,
    CAST(SUM(s.plays) AS BIGINT) AS plays
FROM daily_songs AS s
WHERE {{ scope("s.day", chosen="day") }}
GROUP BY RTRIM(s.artist)
ORDER BY plays DESC, artist ASC
LIMIT 10;
