-- Bookkeeping of the incremental loads. Sources that are not partitioned by time (song metadata) are staged by object:
-- a run stages new and changed objects in batches, and each table loads the batches that it has not loaded yet.
CREATE SCHEMA IF NOT EXISTS operations;

-- The ledger of staged objects: key, ETag and size of each object when it was read. An object that cannot be loaded is
-- quarantined until it changes or is deleted: it is the only object of a batch with a negative number, which has no
-- rows. operations.rejected_rows has the reasons.
CREATE TABLE IF NOT EXISTS operations.staged_objects (
    table_name VARCHAR(256) NOT NULL,
    object_key VARCHAR(4096) NOT NULL,
    etag VARCHAR(256) NOT NULL,
    size_bytes BIGINT NOT NULL,
    batch_id BIGINT NOT NULL
)
DISTSTYLE EVEN
SORTKEY (table_name, batch_id);

-- The batches of staged objects. COPY does not report the object of a row, so the unit of replacement is the batch: if
-- one of its objects changes or is deleted, it is retired, and its other objects are staged again in a new batch.
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

-- The last staged version of the files of each period, for sources that are partitioned by time. If it has changed
-- while a run read the files, a concurrent run may have read a newer version, and the run reads the files again.
CREATE TABLE IF NOT EXISTS operations.staged_periods (
    table_name VARCHAR(256) NOT NULL,
    period_start TIMESTAMP NOT NULL,
    version VARCHAR(64) NOT NULL
)
DISTSTYLE EVEN
SORTKEY (table_name, period_start);

-- The batches that each table has loaded.
CREATE TABLE IF NOT EXISTS operations.loaded_batches (
    table_name VARCHAR(256) NOT NULL,
    batch_id BIGINT NOT NULL
)
DISTSTYLE EVEN
SORTKEY (table_name, batch_id);

-- The rejected rows of the last read of each file or object, replaced together with its staged rows. If the number of
-- rejected rows exceeded the limit and nothing was staged, they remain until a run stages the file. Those of a
-- quarantined object remain until it changes or is deleted. The database's own views keep load errors for a limited
-- time (Redshift for seven days), and without the run.
-- The rejected rows of a COPY (the files of a period, or a batch) are limited to 1,000, plus one of each further file.
-- The task's result has their number for a period's files.
CREATE TABLE IF NOT EXISTS operations.rejected_rows (
    table_name VARCHAR(256) NOT NULL,
    -- The start of the file's period, if the source is partitioned by time; otherwise the batch of the quarantined
    -- object in operations.staged_objects.
    period_start TIMESTAMP,
    batch_id BIGINT,
    run_id VARCHAR(250) NOT NULL,
    rejected_at TIMESTAMP NOT NULL,
    -- The prefix of the period's files, if the file of the row is unknown.
    file_name VARCHAR(4096) NOT NULL,
    -- 0 if unknown.
    line_number BIGINT NOT NULL,
    column_name VARCHAR(256),
    -- Four digits: a code of Redshift's load error reference. Codes of this project: 1, a timestamp outside of
    -- [1970-01-01, 2200-01-01), which COPY accepts; 2, an empty object.
    error_code INTEGER NOT NULL,
    reason VARCHAR(1024),
    -- The first bytes of the line and of the value; NULL on Redshift, whose view does not report them.
    raw_line VARCHAR(4096),
    raw_value VARCHAR(4096)
)
DISTSTYLE EVEN
SORTKEY (table_name, period_start);
