-- The users who were active on a day, and what they played.
-- Question: how many people use the app in a day, a week or a month, and do they return?
SELECT
    e.day,
    e.user_id,
    COUNT(CASE WHEN e.page = 'NextSong' THEN 1 END) AS plays,
    COUNT(CASE WHEN e.page = 'NextSong' AND e.level = 'paid' THEN 1 END) AS paid_plays,
    COALESCE(SUM(e.length), 0) AS listening_seconds
FROM events AS e
WHERE
    e.user_id IS NOT NULL
    AND {{ scope("e.interval_time", day="e.day", user_id="e.user_id") }}
GROUP BY e.day, e.user_id
