-- The time until which the day is loaded: the runs of an unfinished day evaluate their checks on that day.
SELECT MAX(CASE WHEN q.interval_end < q.checked_at THEN q.interval_end ELSE q.checked_at END) AS loaded_until
FROM operations.data_quality_results AS q
WHERE
    q.dag_id = 'sparkify_warehouse' AND q.interval_start < q.checked_at
    AND {{ scope("q.checked_at") }}
