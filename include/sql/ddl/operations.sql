-- What the loads remember of themselves. Sources that are not cut by time (song metadata) are staged by object:
-- an object is taken when it is new or has changed, in batches; a table loads the batches it has not loaded yet.
CREATE SCHEMA IF NOT EXISTS operations;

-- The ledger: every object whose rows are in a staging table, as it was when it was taken.
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
