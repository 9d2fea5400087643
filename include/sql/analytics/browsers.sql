-- Browsers by plays
-- The order of the conditions matters: Chrome also claims to be Safari, Edge and Opera claim to be Chrome.
-- Plays are grouped by user agent first, so that few rows are classified.
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
