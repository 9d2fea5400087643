-- Sources of the report: events in the log, plays of songs in the catalogue, rejected rows, freshness
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
        {% include "report/_loaded_until.sql" %}
    ) AS loaded_until;
