-- What the report rests on: events in the log, plays whose song the catalogue knows, rows that could not be read
-- And how far a day that is not over is loaded: whatever was loaded of it was checked on that same day.
SELECT
    (
        SELECT COUNT(*) FROM staging_events AS e
        WHERE {{ scope("e.ts") }}
    ) AS events,
    (
        SELECT COUNT(*) FROM songplays AS p
        WHERE p.song_id IS NOT NULL AND {{ scope("p.start_time") }}
    ) AS known_plays,
    (
        SELECT COUNT(*) FROM operations.rejected_rows AS r
        WHERE r.table_name = 'staging_events' AND {{ scope("r.period_start") }}
    ) AS rejected_rows,
    (
        SELECT MAX(CASE WHEN q.interval_end < q.checked_at THEN q.interval_end ELSE q.checked_at END)
        FROM operations.data_quality_results AS q
        WHERE
            q.dag_id = 'sparkify_warehouse' AND q.interval_start < q.checked_at
            AND {{ scope("q.checked_at") }}
    ) AS loaded_until;
