-- Bookkeeping of the incremental loads. Sources that are not partitioned by time (song metadata) are staged by object:
-- a run stages new and changed objects in batches, and each table loads the batches that it has not loaded yet.
CREATE SCHEMA IF NOT EXISTS operations;

-- The ledger of staged objects: key, ETag and size of each object when it was read.
--
-- An object that cannot be loaded is quarantined until it changes or is deleted: it is the only object of a batch with
-- a negative number, which has no rows. operations.rejected_rows has the reasons.
CREATE TABLE IF NOT EXISTS operations.staged_objects (
    -- Staging table of the object.
    table_name VARCHAR(256) NOT NULL,
    -- Key of the object in its bucket.
    object_key VARCHAR(4096) NOT NULL,
    -- ETag of the object when it was read.
    etag VARCHAR(256) NOT NULL,
    -- Size of the object when it was read. Unit: bytes.
    size_bytes BIGINT NOT NULL,
    -- Batch of the object (operations.staged_batches); negative if the object is quarantined.
    batch_id BIGINT NOT NULL
)
DISTSTYLE EVEN
SORTKEY (table_name, batch_id);

-- The batches of staged objects.
--
-- COPY does not report the object of a row, so the unit of replacement is the batch: if one of its objects changes or
-- is deleted, it is retired, and its other objects are staged again in a new batch.
CREATE TABLE IF NOT EXISTS operations.staged_batches (
    -- Staging table of the batch.
    table_name VARCHAR(256) NOT NULL,
    -- Number of the batch, unique in its table and never reused.
    batch_id BIGINT NOT NULL,
    -- Whether the batch's rows are staged; false if the batch is retired.
    is_live BOOLEAN NOT NULL,
    -- Number of objects in the batch.
    objects BIGINT NOT NULL,
    -- Number of rows that the batch had when it was staged.
    row_count BIGINT NOT NULL,
    -- Time at which the batch was staged, UTC.
    staged_at TIMESTAMP NOT NULL
)
DISTSTYLE EVEN
SORTKEY (table_name, batch_id);

-- The staged versions of the files of each period, for sources that are partitioned by time.
--
-- A run stages a part of a period, such as an hour of a daily file: a row says which version of the period's files the
-- rows of that part come from. Adjacent parts of the same version are one row. A period is up to date if its rows
-- cover it with the version that the bucket has now, and are loaded.
-- If a version has changed while a run read the files, a concurrent run may have read a newer one, and the run reads
-- the files again.
CREATE TABLE IF NOT EXISTS operations.staged_periods (
    -- Staging table of the files.
    table_name VARCHAR(256) NOT NULL,
    -- Start of the files' period, UTC.
    period_start TIMESTAMP NOT NULL,
    -- Hash of the list of the period's files, which changes with any of them.
    version VARCHAR(64) NOT NULL,
    -- Start of the staged part, UTC; NULL if it is the whole period.
    part_start TIMESTAMP,
    -- End of the staged part, UTC, exclusive; NULL if it is the whole period.
    part_end TIMESTAMP,
    -- Number of the period's files; NULL if unknown.
    objects BIGINT,
    -- Size of the period's files. Unit: bytes.
    size_bytes BIGINT,
    -- Size of the period's files in the version before, if they have shrunk since; NULL if not. Unit: bytes.
    shrunk_from BIGINT,
    -- Time at which the version was staged, UTC; NULL if unknown.
    staged_at TIMESTAMP,
    -- How often the files were changed and staged again after the period had ended, each time within a day.
    changes INTEGER NOT NULL DEFAULT 0,
    -- The run that has staged the part and has not loaded it into all tables yet; NULL once it is loaded.
    loading_run VARCHAR(250)
)
DISTSTYLE EVEN
SORTKEY (table_name, period_start);

-- The periods whose files differ from what is staged, as the last reconciliation found them.
--
-- A row whose version has been staged since is resolved; the next reconciliation deletes it.
CREATE TABLE IF NOT EXISTS operations.source_differences (
    -- Staging table of the files.
    table_name VARCHAR(256) NOT NULL,
    -- Start of the files' period, UTC.
    period_start TIMESTAMP NOT NULL,
    -- changed (since it was staged, or staged and not loaded), missing (never staged, or a part of it), vanished
    -- (staged, but without files now).
    state VARCHAR(8) NOT NULL,
    -- Hash of the list of the period's files; empty if the period has not ended, as its files still change.
    version VARCHAR(64) NOT NULL,
    -- Time at which this version was found, UTC.
    found_at TIMESTAMP NOT NULL,
    -- How often a run was triggered to load this version.
    attempts INTEGER NOT NULL DEFAULT 0,
    -- The last run that was triggered; NULL if there was none.
    run_id VARCHAR(250),
    -- Time at which it was triggered, UTC.
    triggered_at TIMESTAMP
)
DISTSTYLE EVEN
SORTKEY (table_name, period_start);

-- The batches that each table has loaded.
CREATE TABLE IF NOT EXISTS operations.loaded_batches (
    -- Table that has loaded the batch.
    table_name VARCHAR(256) NOT NULL,
    -- The loaded batch (operations.staged_batches).
    batch_id BIGINT NOT NULL
)
DISTSTYLE EVEN
SORTKEY (table_name, batch_id);

-- The rejected rows of the last read of each file or object, replaced together with its staged rows.
--
-- If the number of rejected rows exceeded the limit and nothing was staged, they remain until a run stages the file.
-- Those of a quarantined object remain until it changes or is deleted. The database's own views keep load errors for a
-- limited time (Redshift for seven days), and without the run.
-- The rejected rows of a COPY (the files of a period, or a batch) are limited to 1,000, plus one of each further file.
-- The task's result has their number for a period's files.
CREATE TABLE IF NOT EXISTS operations.rejected_rows (
    -- Staging table that the row was not loaded into.
    table_name VARCHAR(256) NOT NULL,
    -- Start of the file's period, UTC; NULL if the source is not partitioned by time.
    period_start TIMESTAMP,
    -- Batch of the quarantined object (operations.staged_objects); NULL if the source is partitioned by time.
    batch_id BIGINT,
    -- Run that read the file.
    run_id VARCHAR(250) NOT NULL,
    -- Time at which the row was rejected, UTC.
    rejected_at TIMESTAMP NOT NULL,
    -- File of the row; the prefix of the period's files if the file is unknown.
    file_name VARCHAR(4096) NOT NULL,
    -- Line of the row in its file; 0 if unknown.
    line_number BIGINT NOT NULL,
    -- Column of the invalid value; NULL if unknown.
    column_name VARCHAR(256),
    -- Four digits: a code of Redshift's load error reference. Codes of this project: 1, a timestamp outside of
    -- [1970-01-01, 2200-01-01), which COPY accepts; 2, an empty object.
    error_code INTEGER NOT NULL,
    -- Why the row was rejected.
    reason VARCHAR(1024),
    -- First bytes of the line; NULL on Redshift, whose view does not report them. Personal.
    raw_line VARCHAR(4096),
    -- First bytes of the invalid value; NULL on Redshift, whose view does not report them. Personal.
    raw_value VARCHAR(4096)
)
DISTSTYLE EVEN
SORTKEY (table_name, period_start);

-- The changes of its source that each aggregate has loaded.
--
-- A row whose table is its own source has the number of that table's latest rebuild: aggregates that have loaded less
-- are rebuilt.
CREATE TABLE IF NOT EXISTS operations.loaded_changes (
    -- Table that is aggregated from the source, or the source itself.
    table_name VARCHAR(256) NOT NULL,
    -- Source.
    source_name VARCHAR(256) NOT NULL,
    -- Number of the latest change.
    change_id BIGINT NOT NULL
)
DISTSTYLE EVEN
SORTKEY (source_name, table_name);
