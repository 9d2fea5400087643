{% macro seconds_of_day(time) %}
CAST(EXTRACT(HOUR FROM {{ time }}) AS INTEGER) * 3600 + CAST(EXTRACT(MINUTE FROM {{ time }}) AS INTEGER) * 60
    + CAST(TO_CHAR({{ time }}, 'SS') AS INTEGER)
{%- endmacro %}
-- Sessions, whole: from their first to their last event, whatever the hours and days in between.
-- Question: how long do people stay, what do they do meanwhile, and do they upgrade?
-- The duration is computed from whole days and seconds: EXTRACT(EPOCH) is an INTEGER on Redshift, which ends in 2038.
SELECT
    s.session_id,
    MAX(CASE WHEN s.user_rank = 1 THEN s.user_id END) AS user_id,
    MIN(s.event_time) AS first_event,
    MAX(s.event_time) AS last_event,
    CAST(CAST(MAX(s.event_time) AS DATE) - CAST(MIN(s.event_time) AS DATE) AS BIGINT) * 86400
    + ({{ seconds_of_day("MAX(s.event_time)") }})
    - ({{ seconds_of_day("MIN(s.event_time)") }}) AS duration,
    COUNT(CASE WHEN s.page = 'NextSong' THEN 1 END) AS plays,
    COUNT(CASE WHEN s.page <> 'NextSong' THEN 1 END) AS pages,
    MAX(CASE WHEN s.first_rank = 1 THEN s.level END) AS level_at_start,
    MAX(CASE WHEN s.last_rank = 1 THEN s.level END) AS level_at_end,
    COUNT(CASE WHEN s.page = 'Submit Upgrade' THEN 1 END) > 0 AS is_upgraded,
    COUNT(CASE WHEN s.page = 'Submit Downgrade' THEN 1 END) > 0 AS is_downgraded
FROM (
    SELECT
        e.session_id,
        e.user_id,
        e.event_time,
        e.page,
        e.level,
        ROW_NUMBER() OVER (PARTITION BY e.session_id ORDER BY e.event_time ASC, e.item_in_session ASC) AS first_rank,
        ROW_NUMBER() OVER (PARTITION BY e.session_id ORDER BY e.event_time DESC, e.item_in_session DESC) AS last_rank,
        ROW_NUMBER() OVER (
            PARTITION BY e.session_id
            ORDER BY CASE WHEN e.user_id IS NULL THEN 1 ELSE 0 END ASC, e.event_time DESC, e.item_in_session DESC
        ) AS user_rank
    FROM events AS e
    WHERE {{ scope("e.interval_time", session_id="e.session_id") }}
) AS s
GROUP BY s.session_id
