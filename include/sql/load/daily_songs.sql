{% set song_key = "MD5(MD5(COALESCE(RTRIM(e.song), '')) || MD5(COALESCE(RTRIM(e.artist), '')))" %}
-- The plays of a song on a day.
-- Question: what was played most, and by how many people?
SELECT
    e.day,
    COALESCE(RTRIM(e.song), '') AS song,
    COALESCE(RTRIM(e.artist), '') AS artist,
    {{ song_key }} AS song_key,
    COUNT(*) AS plays,
    COUNT(DISTINCT e.user_id) AS listeners
FROM events AS e
WHERE
    e.page = 'NextSong'
    AND {{ scope("e.interval_time", day="e.day", song_key=song_key) }}
GROUP BY e.day, COALESCE(RTRIM(e.song), ''), COALESCE(RTRIM(e.artist), '')
