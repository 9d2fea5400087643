-- What the loads remember of themselves. Sources that are not cut by time (song metadata) are staged by object:
-- an object is taken when it is new or has changed, in batches; a table loads the batches it has not loaded yet.
CREATE SCHEMA IF NOT EXISTS operations;

-- The ledger: every object whose rows are in a staging table, as it was when it was taken. An object that cannot be
-- loaded is quarantined: it is the only one of a batch with a negative number, which has no rows, until it changes or
-- vanishes. operations.rejected_rows has the reasons.
CREATE TABLE IF NOT EXISTS operations.staged_objects (
    table_name VARCHAR(256) NOT NULL,
    object_key VARCHAR(4096) NOT NULL,
    etag VARCHAR(256) NOT NULL,
    size_bytes BIGINT NOT NULL,
    batch_id BIGINT NOT NULL
)
DISTSTYLE EVEN
SORTKEY (table_name, batch_id);

-- Objects are staged in batches. A batch is retired when one of its objects changed or vanished: what is left
-- of it is staged again in a new batch, so no row needs to know the object it came from (COPY does not tell).
CREATE TABLE IF NOT EXISTS operations.staged_batches (
    table_name VARCHAR(256) NOT NULL,
    batch_id BIGINT NOT NULL,
    is_live BOOLEAN NOT NULL,
    objects BIGINT NOT NULL,
    row_count BIGINT NOT NULL,
    staged_at TIMESTAMP NOT NULL
)
DISTSTYLE EVEN
SORTKEY (table_name, batch_id);

-- The version of the files that was read last for each period of a source that is cut by time. A run that finds
-- another version than before it read knows that a concurrent run may have read a newer one, and reads again.
CREATE TABLE IF NOT EXISTS operations.staged_periods (
    table_name VARCHAR(256) NOT NULL,
    period_start TIMESTAMP NOT NULL,
    version VARCHAR(64) NOT NULL
)
DISTSTYLE EVEN
SORTKEY (table_name, period_start);

-- The batches that each table holds.
CREATE TABLE IF NOT EXISTS operations.loaded_batches (
    table_name VARCHAR(256) NOT NULL,
    batch_id BIGINT NOT NULL
)
DISTSTYLE EVEN
SORTKEY (table_name, batch_id);

-- The rejected rows of what is staged now: replaced together with the rows of their file. If there were too many, so
-- that nothing was staged, they are here until a run stages the file. Those of a quarantined object are here until it
-- changes or vanishes.
-- The database's own views forget (Redshift's after seven days) and do not know which run it was.
-- Of one COPY (a period's files, a batch) the first thousand are here, and one of each further file; how many of a
-- period's files there were is in the task's result.
CREATE TABLE IF NOT EXISTS operations.rejected_rows (
    table_name VARCHAR(256) NOT NULL,
    -- The start of the file's period, for a source that is cut by time; the batch of the quarantined object
    -- (operations.staged_objects), for one that is not.
    period_start TIMESTAMP,
    batch_id BIGINT,
    run_id VARCHAR(250) NOT NULL,
    rejected_at TIMESTAMP NOT NULL,
    -- The beginning of the names of the period's files, if it is not known which of them has the row.
    file_name VARCHAR(4096) NOT NULL,
    -- 0 if it is not known.
    line_number BIGINT NOT NULL,
    column_name VARCHAR(256),
    -- Of Redshift's load error reference, four digits; or of this project's own rules: 1, a time outside
    -- [1970-01-01, 2200-01-01), which COPY accepts; 2, an empty object.
    error_code INTEGER NOT NULL,
    reason VARCHAR(1024),
    -- The first bytes of the line as it was in the file, and of the value; Redshift's view does not tell them.
    raw_line VARCHAR(4096),
    raw_value VARCHAR(4096)
)
DISTSTYLE EVEN
SORTKEY (table_name, period_start);
