-- What the source delivers: the members of the JSON objects that were sampled when their files were staged.
--
-- COPY ignores members that it does not know, so a renamed member would load NULLs unnoticed. The rows of a period, or
-- of a batch, depend on its files only; they are replaced together with its staged rows. They have no values of the
-- source.
--
-- DISTSTYLE EVEN: read by table and period, joined to nothing.
-- SORTKEY table_name, period_start, batch_id: a run replaces and reads the periods of its interval.
CREATE TABLE IF NOT EXISTS operations.source_fields (
    -- The staging table that the files were staged into.
    table_name VARCHAR(256) NOT NULL,
    -- The start of the files' period (UTC); NULL if the source is staged by object.
    period_start TIMESTAMP,
    -- The batch of the objects in operations.staged_batches; NULL if the source is partitioned by time.
    batch_id BIGINT,
    -- The name of the member, as it was first spelled in the sample; only members of the outermost object.
    field_name VARCHAR(256) NOT NULL,
    -- The column that COPY fills from the member; NULL if COPY ignores it, or if a JSONPaths file selects the columns.
    column_name VARCHAR(256),
    -- string, number, boolean, object, array, null; empty for an empty string; missing for objects without the member.
    json_type VARCHAR(8) NOT NULL,
    -- The number of sampled objects with a value of this type; the sum over the types is the number of sampled objects.
    occurrences BIGINT NOT NULL,
    -- The first time it was seen (UTC): the period's start, or when the oldest object with it was last modified.
    first_seen TIMESTAMP NOT NULL,
    -- The last time it was seen (UTC): the period's start, or when the newest object with it was last modified.
    last_seen TIMESTAMP NOT NULL,
    -- The URL of an example's file: the first object in the sample with a value of this type.
    file_name VARCHAR(4096) NOT NULL,
    -- The example's line in the file; 0 if it is unknown, because the example is from the end of a large file.
    line_number BIGINT NOT NULL
)
DISTSTYLE EVEN
SORTKEY (table_name, period_start, batch_id);
