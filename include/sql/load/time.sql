-- Candidates for time: the start of every play that was delivered. All candidates of a moment are equal.
-- They come from staging, not from songplays: there a play may be replaced by a run of another interval, which
-- would have to know of the moments it leaves behind. (A moment whose only play was delivered again, with another
-- time, and lost to that, therefore stays.)
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
