-- Aggregate the results of each run: 0 passed, 1 warned, 2 failed.
-- The run that closes a day has checked the whole day; a task of it that failed owns its hour only.
SELECT
    MIN(latest.interval_start) AS interval_start,
    MAX(latest.interval_end) AS interval_end,
    MAX(CASE latest.outcome WHEN 'failed' THEN 2 WHEN 'warned' THEN 1 ELSE 0 END) AS worst,
    MAX(latest.recorded_at) AS recorded_at
FROM (
    {% include "_latest.sql" %}

) AS latest
GROUP BY latest.run_id
ORDER BY 1;
