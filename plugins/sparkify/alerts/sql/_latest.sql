{# What each run came to in the end: a check that was evaluated again counts once, and a task that failed before the checks were evaluated has been good since. #}
SELECT
    seen.run_id,
    seen.interval_start,
    seen.interval_end,
    seen.table_name,
    seen.check_name,
    seen.kind,
    seen.outcome,
    seen.observed,
    seen.checked_at
FROM (
    SELECT
        results.run_id,
        results.interval_start,
        results.interval_end,
        results.table_name,
        results.check_name,
        results.kind,
        results.outcome,
        results.observed,
        results.checked_at,
        ROW_NUMBER() OVER (
            PARTITION BY results.run_id, results.table_name, results.check_name ORDER BY results.checked_at DESC
        ) AS recency,
        MAX(CASE WHEN results.kind <> 'task' THEN results.checked_at END) OVER (
            PARTITION BY results.run_id
        ) AS evaluated_at
    FROM operations.data_quality_results AS results
    WHERE {% include "_untold.sql" %}

) AS seen
WHERE
    seen.recency = 1
    AND (seen.kind <> 'task' OR seen.evaluated_at IS NULL OR seen.checked_at > seen.evaluated_at)
