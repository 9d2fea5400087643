-- The distinct start times of plays (UTC), with their date parts.
--
-- week is the ISO 8601 week. weekday is the ISO 8601 day of the week: 1 is Monday, 7 is Sunday.
-- DISTKEY and SORTKEY start_time: the same as songplays, which grows as fast; the two join by merge.
CREATE TABLE IF NOT EXISTS time (
    -- Time at which one or more plays started, UTC.
    start_time TIMESTAMP NOT NULL,
    -- Hour of the day, 0 to 23.
    hour INTEGER NOT NULL,
    -- Day of the month, 1 to 31.
    day INTEGER NOT NULL,
    -- ISO 8601 week of the year, 1 to 53.
    week INTEGER NOT NULL,
    -- Month of the year, 1 to 12.
    month INTEGER NOT NULL,
    -- Calendar year, which may differ from the year of the ISO 8601 week.
    year INTEGER NOT NULL,
    -- ISO 8601 day of the week: 1 is Monday, 7 is Sunday.
    weekday INTEGER NOT NULL,
    -- Audit: the interval_time of the source row.
    interval_time TIMESTAMP NOT NULL,
    -- Audit: empty, because all candidates for a start time are equal.
    row_version VARCHAR(32) NOT NULL,
    PRIMARY KEY (start_time)
)
DISTSTYLE KEY
DISTKEY (start_time)
SORTKEY (start_time);
