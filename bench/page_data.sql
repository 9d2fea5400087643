-- Years with {{ sessions }} sessions of {{ users }} users, without loading files.
--
-- Sessions have 20 events, 17 of them plays. The users grow to their final number meanwhile, and those who joined
-- lately come more often. Few of the {{ songs }} songs have most of the plays.
INSERT INTO staging_events (
    artist, auth, iteminsession, length, level, method, page, registration, sessionid, song, status, ts, useragent, userid,
    interval_time
)
SELECT
    'Artist ' || song_number % {{ songs // 5 }},
    'Logged In',
    item,
    CASE WHEN is_play THEN 180 + song_number % 120 END,
    CASE WHEN (user_number + session_number / {{ sessions // 4 }}) % 3 = 0 THEN 'paid' ELSE 'free' END,
    'PUT',
    CASE
        WHEN is_play THEN 'NextSong'
        WHEN item <> 19 THEN 'Home'
        WHEN session_number % 53 = 0 THEN 'Submit Upgrade'
        WHEN session_number % 131 = 0 THEN 'Submit Downgrade'
        WHEN session_number % 307 = 0 THEN 'Cancellation Confirmation'
        ELSE 'Logout'
    END,
    EXTRACT(EPOCH FROM joined_at) * 1000,
    session_number,
    CASE WHEN is_play THEN 'Song ' || song_number END,
    200,
    event_time,
    'Mozilla/5.0 (Number ' || user_number % 40 || ') '
    || (ARRAY['Chrome/36.0 Safari/537.36', 'Firefox/31.0', 'Version/7.0 Safari/537.36', 'Trident/7.0'])[1 + user_number % 4],
    user_number,
    event_time
FROM (
    SELECT
        s.session_number,
        s.user_number,
        i.item,
        i.item % 7 <> 5 AS is_play,
        CAST(FLOOR({{ songs }} * POWER(
            ((CAST(s.session_number AS BIGINT) * 20 + i.item) * 7919 % 1000003) / 1000003.0, 4
        )) AS INTEGER) AS song_number,
        TIMESTAMP '{{ start }}' + s.user_number * INTERVAL '{{ years }} years' / {{ users }} AS joined_at,
        DATE_TRUNC('milliseconds', s.started_at + i.item * INTERVAL '237.5 seconds') AS event_time
    FROM (
        SELECT
            n AS session_number,
            CAST(FLOOR(
                {{ users }} * (0.1 + 0.9 * n / {{ sessions }})
                * POWER((CAST(n AS BIGINT) * 104729 % 1000003) / 1000003.0, 0.7)
            ) AS INTEGER) AS user_number,
            -- Evenings are busier.
            DATE_TRUNC('day', TIMESTAMP '{{ start }}' + n * (INTERVAL '{{ years }} years' / {{ sessions }}))
            + SQRT((CAST(n AS BIGINT) * 7907 % 1000003) / 1000003.0) * INTERVAL '22 hours' AS started_at
        FROM GENERATE_SERIES(0, {{ sessions - 1 }}) AS n
    ) AS s
    CROSS JOIN GENERATE_SERIES(0, 19) AS i (item)
    ORDER BY event_time
) AS e;

INSERT INTO songplays (
    songplay_id, start_time, user_id, level, session_id, location, user_agent, interval_time, row_version
)
SELECT
    MD5(CAST(e.sessionid AS VARCHAR(20)) || '-' || CAST(e.iteminsession AS VARCHAR(11))),
    e.ts, e.userid, e.level, e.sessionid, 'Phoenix-Mesa-Scottsdale, AZ', e.useragent, e.interval_time, ''
FROM staging_events AS e
WHERE e.page = 'NextSong';

INSERT INTO users (user_id, level, interval_time, row_version)
SELECT e.userid, MAX(e.level), MAX(e.interval_time), ''
FROM staging_events AS e
GROUP BY e.userid;

INSERT INTO time (start_time, hour, day, week, month, year, weekday, interval_time, row_version)
SELECT DISTINCT
    e.start_time,
    EXTRACT(HOUR FROM e.start_time), EXTRACT(DAY FROM e.start_time), EXTRACT(WEEK FROM e.start_time),
    EXTRACT(MONTH FROM e.start_time), EXTRACT(YEAR FROM e.start_time), EXTRACT(ISODOW FROM e.start_time),
    e.start_time, ''
FROM songplays AS e;

{% for table, select in loads.items() %}
INSERT INTO {{ table }} ({{ columns[table] | join(", ") }})
SELECT {{ columns[table] | join(", ") }} FROM (
{{ select }}
) AS loaded;
{% endfor %}
