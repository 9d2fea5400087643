-- Candidates for time: the start of every play. All candidates of a moment are equal.
SELECT
    p.start_time,
    CAST(EXTRACT(HOUR FROM p.start_time) AS INTEGER) AS hour,
    CAST(EXTRACT(DAY FROM p.start_time) AS INTEGER) AS day,
    CAST(EXTRACT(WEEK FROM p.start_time) AS INTEGER) AS week,
    CAST(EXTRACT(MONTH FROM p.start_time) AS INTEGER) AS month,
    CAST(EXTRACT(YEAR FROM p.start_time) AS INTEGER) AS year,
    -- DOW counts from Sunday = 0; ISO 8601 from Monday = 1.
    MOD(CAST(EXTRACT(DOW FROM p.start_time) AS INTEGER) + 6, 7) + 1 AS weekday,
    p.interval_time,
    CAST('' AS VARCHAR(32)) AS row_version
FROM songplays AS p
WHERE {{ scope("p.interval_time", "p.adopted_time", start_time="p.start_time") }}
