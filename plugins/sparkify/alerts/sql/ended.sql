-- Find the runs of backfills that have ended and that no summary has reported yet.
SELECT results.run_id
FROM (
    {% include "_unsummarized.sql" %}

) AS results
GROUP BY results.run_id
ORDER BY MAX(results.recorded_at) DESC
LIMIT {{ limit }};
