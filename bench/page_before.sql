-- freshness.
SELECT
    (
        SELECT MAX(CASE WHEN q.interval_end < q.checked_at THEN q.interval_end ELSE q.checked_at END)
        FROM operations.data_quality_results AS q
        WHERE q.dag_id = 'sparkify_warehouse' AND q.interval_start < q.checked_at
    ) AS loaded_until,
    (
        SELECT MAX(CASE WHEN q.interval_end < q.checked_at THEN q.interval_end ELSE q.checked_at END)
        FROM operations.data_quality_results AS q
        WHERE
            q.dag_id = 'sparkify_warehouse' AND q.interval_start < q.checked_at
            AND q.run_type = 'scheduled'
    ) AS scheduled_until,
    (
        SELECT MAX(q.checked_at) FROM operations.data_quality_results AS q
        WHERE q.dag_id = 'sparkify_warehouse'
    ) AS loaded_at,
    (
        SELECT MAX(p.start_time) FROM songplays AS p
        WHERE {{ scope("p.start_time") }}
    ) AS latest_play;

-- plays_by_day.
SELECT
    d.day,
    d.plays,
    d.paid_plays
FROM (
    SELECT
        CAST(p.start_time AS DATE) AS day,
        COUNT(*) AS plays,
        COUNT(CASE WHEN p.level = 'paid' THEN 1 END) AS paid_plays
    FROM songplays AS p
    WHERE {{ scope("p.start_time") }}
    GROUP BY day
    ORDER BY day DESC
    LIMIT 3660
) AS d
ORDER BY d.day ASC;

-- plays_by_hour.
SELECT
    DATE_TRUNC('hour', p.start_time) AS hour_start,
    COUNT(*) AS plays
FROM songplays AS p
WHERE
    {{ scope("p.start_time") }}
    AND p.start_time >= (
        SELECT DATE_TRUNC('hour', MAX(latest.start_time)) - INTERVAL '167 hours'
        FROM songplays AS latest
        WHERE {{ scope("latest.start_time") }}
    )
GROUP BY hour_start
ORDER BY hour_start ASC;

-- plays_by_weekday.
SELECT
    MOD(CAST(EXTRACT(DOW FROM h.hour_start) AS INTEGER) + 6, 7) + 1 AS weekday,
    CAST(EXTRACT(HOUR FROM h.hour_start) AS INTEGER) AS hour,
    CAST(SUM(h.plays) AS BIGINT) AS plays
FROM (
    SELECT
        DATE_TRUNC('hour', p.start_time) AS hour_start,
        COUNT(*) AS plays
    FROM songplays AS p
    WHERE {{ scope("p.start_time") }}
    GROUP BY hour_start
) AS h
GROUP BY weekday, hour
ORDER BY weekday ASC, hour ASC;

-- tables.
{% for table in tables %}
    SELECT
        '{{ table.name }}' AS table_name,
        COUNT(*) AS row_count,
        {% if table.time %}
            MAX(CASE WHEN {{ scope(table.time) }} THEN {{ table.time }} END) AS newest,
            COUNT(*) - COUNT(CASE WHEN {{ scope(table.time) }} THEN 1 END) AS implausible
        {% else %}
            CAST(NULL AS TIMESTAMP) AS newest,
            CAST(0 AS BIGINT) AS implausible
        {% endif %}
    FROM {{ table.name }}
    {% if not loop.last %}
        UNION ALL
    {% endif %}
{% endfor %}
ORDER BY table_name ASC;

-- top_artists.
SELECT
    e.artist,
    COUNT(*) AS plays
FROM (
    SELECT DISTINCT
        d.sessionid,
        d.iteminsession,
        RTRIM(d.artist) AS artist
    FROM staging_events AS d
    WHERE d.page = 'NextSong'
) AS e
GROUP BY e.artist
ORDER BY plays DESC, e.artist ASC
LIMIT 10;

-- top_songs.
SELECT
    e.song,
    e.artist,
    COUNT(*) AS plays
FROM (
    SELECT DISTINCT
        d.sessionid,
        d.iteminsession,
        RTRIM(d.song) AS song,
        RTRIM(d.artist) AS artist
    FROM staging_events AS d
    WHERE d.page = 'NextSong'
) AS e
GROUP BY e.song, e.artist
ORDER BY plays DESC, e.song ASC, e.artist ASC
LIMIT 10;

-- users_by_level.
SELECT
    COALESCE(u.level, 'unknown') AS level,
    COUNT(*) AS users
FROM users AS u
GROUP BY COALESCE(u.level, 'unknown')
ORDER BY users DESC, level ASC;

-- browsers.
SELECT
    CASE
        WHEN a.user_agent LIKE '%MSIE %' OR a.user_agent LIKE '%Trident/%' THEN 'Internet Explorer'
        WHEN a.user_agent LIKE '%Edg/%' OR a.user_agent LIKE '%Edge/%' THEN 'Edge'
        WHEN a.user_agent LIKE '%OPR/%' OR a.user_agent LIKE 'Opera%' THEN 'Opera'
        WHEN a.user_agent LIKE '%Firefox/%' OR a.user_agent LIKE '%FxiOS/%' THEN 'Firefox'
        WHEN a.user_agent LIKE '%Chrome/%' OR a.user_agent LIKE '%CriOS/%' THEN 'Chrome'
        WHEN a.user_agent LIKE '%Safari/%' THEN 'Safari'
        ELSE 'Other'
    END AS browser,
    CAST(SUM(a.plays) AS BIGINT) AS plays,
    ROUND(100.0 * SUM(a.plays) / SUM(SUM(a.plays)) OVER (), 1) AS percent_of_plays
FROM (
    SELECT
        RTRIM(p.user_agent) AS user_agent,
        COUNT(*) AS plays
    FROM songplays AS p
    GROUP BY RTRIM(p.user_agent)
) AS a
GROUP BY browser
ORDER BY plays DESC, browser ASC;
