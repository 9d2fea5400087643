-- The plays of an hour, by subscription and browser.
-- Question: at which hours do people listen, and with which browsers?
SELECT
    DATE_TRUNC('hour', e.event_time) AS hour,
    e.day,
    e.level,
    e.browser,
    COUNT(*) AS plays
FROM events AS e
WHERE
    e.page = 'NextSong'
    AND {{ scope("e.interval_time", day="e.day") }}
GROUP BY DATE_TRUNC('hour', e.event_time), e.day, e.level, e.browser
