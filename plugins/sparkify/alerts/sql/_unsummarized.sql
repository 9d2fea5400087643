{# The results of backfills' checks and their failed tasks that no summary has reported yet. #}
{% macro since(time) %}
{{ time }} > COALESCE(
        (SELECT MAX(b.summarized_until) FROM operations.backfill_summaries AS b WHERE b.dag_id = '{{ run.dag_id }}'),
        TIMESTAMP '1970-01-01 00:00:00'
    )
{%- endmacro %}
SELECT
    q.run_id,
    q.interval_start,
    q.interval_end,
    CAST(NULL AS VARCHAR(250)) AS task_id,
    q.table_name,
    q.check_name,
    q.outcome,
    q.observed,
    q.checked_at AS recorded_at
FROM operations.data_quality_results AS q
WHERE q.dag_id = '{{ run.dag_id }}' AND q.run_type = 'backfill' AND {{ since("q.checked_at") }}
UNION ALL
SELECT
    t.run_id,
    t.interval_start,
    t.interval_end,
    t.task_id,
    NULL AS table_name,
    NULL AS check_name,
    'failed' AS outcome,
    t.error AS observed,
    t.failed_at AS recorded_at
FROM operations.task_failures AS t
WHERE t.dag_id = '{{ run.dag_id }}' AND t.run_type = 'backfill' AND {{ since("t.failed_at") }}
    AND t.interval_start IS NOT NULL
