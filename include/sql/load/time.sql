-- Candidates for time: the start time of every delivered play. All candidates of a start time are equal.
-- They come from staging, because a run of another interval may replace a play in songplays without reprocessing
-- this interval. (So the start time of a delivery that was superseded by a later one remains.)
SELECT
    e.ts AS start_time,
    CAST(EXTRACT(HOUR FROM e.ts) AS INTEGER) AS hour,
    CAST(EXTRACT(DAY FROM e.ts) AS INTEGER) AS day,
    CAST(EXTRACT(WEEK FROM e.ts) AS INTEGER) AS week,
    CAST(EXTRACT(MONTH FROM e.ts) AS INTEGER) AS month,
    CAST(EXTRACT(YEAR FROM e.ts) AS INTEGER) AS year,
    -- DOW counts from Sunday = 0; ISO 8601 from Monday = 1.
    MOD(CAST(EXTRACT(DOW FROM e.ts) AS INTEGER) + 6, 7) + 1 AS weekday,
    e.interval_time,
    CAST('' AS VARCHAR(32)) AS row_version
FROM staging_events AS e
WHERE
    e.page = 'NextSong'
    AND {{ scope("e.interval_time", start_time="e.ts") }}
