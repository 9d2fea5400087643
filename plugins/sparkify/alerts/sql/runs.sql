-- Sum up each run: 0 passed, 1 warned, 2 failed.
SELECT
    latest.interval_start,
    latest.interval_end,
    MAX(CASE latest.outcome WHEN 'failed' THEN 2 WHEN 'warned' THEN 1 ELSE 0 END) AS worst,
    MAX(latest.checked_at) AS checked_at
FROM (
    {% include "_latest.sql" %}

) AS latest
GROUP BY latest.run_id, latest.interval_start, latest.interval_end
ORDER BY latest.interval_start;
