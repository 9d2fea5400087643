-- What is loaded, and up to when (UTC)
-- A run that loaded an hour has evaluated its checks, even where the hour had no event.
SELECT
    (
        SELECT MAX(q.interval_end) FROM operations.data_quality_results AS q
        WHERE q.dag_id = 'sparkify_warehouse' AND q.kind <> 'task'
    ) AS loaded_until,
    (
        SELECT MAX(q.interval_end) FROM operations.data_quality_results AS q
        WHERE q.dag_id = 'sparkify_warehouse' AND q.kind <> 'task' AND q.run_type = 'scheduled'
    ) AS scheduled_until,
    (
        SELECT MAX(q.checked_at) FROM operations.data_quality_results AS q
        WHERE q.dag_id = 'sparkify_warehouse' AND q.kind <> 'task'
    ) AS loaded_at,
    (SELECT MAX(p.start_time) FROM songplays AS p) AS latest_play;
