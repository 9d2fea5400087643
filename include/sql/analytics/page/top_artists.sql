-- Top 10 artists by plays, with the app's names: most plays are of songs that are not in the catalogue
-- The name of an unknown artist is empty.
SELECT
    RTRIM(s.artist) AS artist,
    CAST(SUM(s.plays) AS BIGINT) AS plays
FROM (
    SELECT
        m.artist,
        m.plays
    FROM monthly_songs AS m
    WHERE {{ scope("m.month", chosen="whole months") }}
    UNION ALL
    SELECT
        d.artist,
        d.plays
    FROM daily_songs AS d
    WHERE {{ scope("d.day", chosen="days of other months") }}
) AS s
GROUP BY RTRIM(s.artist)
ORDER BY plays DESC, artist ASC
LIMIT 10;
