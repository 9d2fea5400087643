-- Top 10 locations by plays, with the app's names
SELECT
    RTRIM(COALESCE(p.location, 'unknown')) AS location,
    COUNT(*) AS plays,
    COUNT(DISTINCT p.user_id) AS listeners
FROM songplays AS p
WHERE {{ scope("p.start_time") }}
GROUP BY RTRIM(COALESCE(p.location, 'unknown'))
ORDER BY plays DESC, location ASC
LIMIT 10;
