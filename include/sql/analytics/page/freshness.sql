-- Freshness: up to when data is loaded (UTC)
-- An interval is loaded if its checks have been evaluated, even if it has no events.
-- A range that ends in the future is loaded up to the time of its run; a range that starts in the future is ignored.
SELECT
    (
        SELECT MAX(CASE WHEN q.interval_end < q.checked_at THEN q.interval_end ELSE q.checked_at END)
        FROM operations.data_quality_results AS q
        WHERE q.dag_id = 'sparkify_warehouse' AND q.interval_start < q.checked_at
    ) AS loaded_until,
    (
        SELECT MAX(CASE WHEN q.interval_end < q.checked_at THEN q.interval_end ELSE q.checked_at END)
        FROM operations.data_quality_results AS q
        WHERE
            q.dag_id = 'sparkify_warehouse' AND q.interval_start < q.checked_at
            AND q.run_type = 'scheduled'
    ) AS scheduled_until,
    (
        SELECT MAX(q.checked_at) FROM operations.data_quality_results AS q
        WHERE q.dag_id = 'sparkify_warehouse'
    ) AS loaded_at,
    (
        SELECT MAX(p.start_time) FROM songplays AS p
        WHERE {{ scope("p.start_time") }}
    ) AS latest_play;
