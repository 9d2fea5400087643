-- Top 10 songs by plays, with the app's names: most plays are of songs that are not in the catalogue
-- The name of an unknown song or artist is empty.
{# The names are looked up last: to carry them through the sums would take most of the time. #}
SELECT
    MIN(RTRIM(n.song)) AS song,
    MIN(RTRIM(n.artist)) AS artist,
    t.plays
FROM (
    SELECT
        s.song_key,
        CAST(SUM(s.plays) AS BIGINT) AS plays,
        RANK() OVER (ORDER BY SUM(s.plays) DESC) AS place
    FROM (
        SELECT
            m.song_key,
            m.plays
        FROM monthly_songs AS m
        WHERE {{ scope("m.month", chosen="whole months") }}
        UNION ALL
        SELECT
            d.song_key,
            d.plays
        FROM daily_songs AS d
        WHERE {{ scope("d.day", chosen="days of other months") }}
    ) AS s
    GROUP BY s.song_key
) AS t
INNER JOIN monthly_songs AS n ON t.song_key = n.song_key
WHERE t.place <= 10
GROUP BY t.song_key, t.plays
ORDER BY t.plays DESC, song ASC, artist ASC
LIMIT 10;
