-- Nobody could be told: leave it to the next run.
DELETE FROM operations.backfill_summaries
WHERE dag_id = '{{ run.dag_id }}' AND told_until = {{ told_until }};
