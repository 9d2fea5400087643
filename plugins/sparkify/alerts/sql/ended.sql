-- Find the runs of backfills that have ended and that no summary has told of.
SELECT results.run_id
FROM operations.data_quality_results AS results
WHERE {% include "_untold.sql" %}

GROUP BY results.run_id
ORDER BY MAX(results.checked_at) DESC
LIMIT {{ limit }};
