-- No channel has delivered the summary: leave it to the next run.
DELETE FROM operations.backfill_summaries
WHERE dag_id = '{{ run.dag_id }}' AND summarized_until = {{ summarized_until }};
