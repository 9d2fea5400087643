-- The distinct start times of plays (UTC), with their date parts.
--
-- week is the ISO 8601 week. weekday is the ISO 8601 day of the week: 1 is Monday, 7 is Sunday.
-- DISTKEY and SORTKEY start_time: the same as songplays, which grows as fast; the two join by merge.
CREATE TABLE IF NOT EXISTS time (
    start_time TIMESTAMP NOT NULL,
    hour INTEGER NOT NULL,
    day INTEGER NOT NULL,
    week INTEGER NOT NULL,
    month INTEGER NOT NULL,
    year INTEGER NOT NULL,
    weekday INTEGER NOT NULL,
    -- Audit: the source row.
    interval_time TIMESTAMP NOT NULL,
    row_version VARCHAR(32) NOT NULL,
    PRIMARY KEY (start_time)
)
DISTSTYLE KEY
DISTKEY (start_time)
SORTKEY (start_time);
