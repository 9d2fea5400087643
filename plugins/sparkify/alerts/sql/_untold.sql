{# The rows of backfills that no summary has told of. #}
results.dag_id = '{{ run.dag_id }}'
    AND results.run_type = 'backfill'
    AND results.checked_at > COALESCE(
        (
            SELECT MAX(told.told_until) FROM operations.backfill_summaries AS told
            WHERE told.dag_id = '{{ run.dag_id }}'
        ),
        TIMESTAMP '1970-01-01 00:00:00'
    )
