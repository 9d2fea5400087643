{# The final results of each run: a check that was evaluated again counts once, and a task that failed before the checks were evaluated has recovered since. #}
SELECT
    ranked.run_id,
    ranked.interval_start,
    ranked.interval_end,
    ranked.task_id,
    ranked.table_name,
    ranked.check_name,
    ranked.outcome,
    ranked.observed,
    ranked.recorded_at
FROM (
    SELECT
        results.*,
        ROW_NUMBER() OVER (
            PARTITION BY results.run_id, results.task_id, results.table_name, results.check_name
            ORDER BY results.recorded_at DESC
        ) AS recency,
        MAX(CASE WHEN results.task_id IS NULL THEN results.recorded_at END) OVER (
            PARTITION BY results.run_id
        ) AS evaluated_at
    FROM (
        {% include "_unsummarized.sql" %}

    ) AS results
) AS ranked
WHERE
    ranked.recency = 1
    AND (ranked.task_id IS NULL OR ranked.evaluated_at IS NULL OR ranked.recorded_at > ranked.evaluated_at)
