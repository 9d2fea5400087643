-- Browsers by plays
-- Browsers name their relatives: Chrome calls itself Safari too, Edge and Opera call themselves Chrome.
SELECT
    CASE
        WHEN user_agent LIKE '%MSIE %' OR user_agent LIKE '%Trident/%' THEN 'Internet Explorer'
        WHEN user_agent LIKE '%Edg/%' OR user_agent LIKE '%Edge/%' THEN 'Edge'
        WHEN user_agent LIKE '%OPR/%' OR user_agent LIKE 'Opera%' THEN 'Opera'
        WHEN user_agent LIKE '%Firefox/%' OR user_agent LIKE '%FxiOS/%' THEN 'Firefox'
        WHEN user_agent LIKE '%Chrome/%' OR user_agent LIKE '%CriOS/%' THEN 'Chrome'
        WHEN user_agent LIKE '%Safari/%' THEN 'Safari'
        ELSE 'Other'
    END AS browser,
    COUNT(*) AS plays,
    ROUND(100.0 * COUNT(*) / SUM(COUNT(*)) OVER (), 1) AS percent_of_plays
FROM songplays
GROUP BY browser
ORDER BY plays DESC, browser ASC;
