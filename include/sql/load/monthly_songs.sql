{% set month = "CAST(DATE_TRUNC('month', CAST(s.day AS TIMESTAMP)) AS DATE)" %}
-- The plays of a song in a month.
-- Question: what was played most over a long time?
SELECT
    {{ month }} AS month,
    MIN(RTRIM(s.song)) AS song,
    MIN(RTRIM(s.artist)) AS artist,
    s.song_key,
    CAST(SUM(s.plays) AS BIGINT) AS plays
FROM daily_songs AS s
WHERE {{ scope("s.day", month=month, song_key="s.song_key") }}
GROUP BY {{ month }}, s.song_key
