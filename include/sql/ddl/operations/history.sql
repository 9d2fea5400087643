-- The tables of this file keep their rows when a run drops and recreates all tables (recreate_tables).

-- The history of data quality: a row for every check that a run has evaluated. A run that is cleared adds rows.
CREATE TABLE IF NOT EXISTS operations.data_quality_results (
    dag_id VARCHAR(250) NOT NULL,
    run_id VARCHAR(250) NOT NULL,
    -- As Airflow calls it: scheduled, backfill, manual, asset_triggered.
    run_type VARCHAR(50) NOT NULL,
    interval_start TIMESTAMP NOT NULL,
    interval_end TIMESTAMP NOT NULL,
    checked_at TIMESTAMP NOT NULL,
    table_name VARCHAR(256) NOT NULL,
    check_name VARCHAR(256) NOT NULL,
    kind VARCHAR(32) NOT NULL,
    severity VARCHAR(8) NOT NULL,
    scope VARCHAR(8) NOT NULL,
    -- passed; warned (severity warn) or failed (severity error).
    outcome VARCHAR(8) NOT NULL,
    observed VARCHAR(4096),
    expected VARCHAR(4096),
    failing_rows BIGINT NOT NULL,
    total_rows BIGINT NOT NULL,
    -- Up to five failing rows: a JSON array of objects.
    sample VARCHAR(65535),
    seconds DOUBLE PRECISION NOT NULL
)
DISTSTYLE EVEN
SORTKEY (checked_at);

-- The history of failed tasks: a row for every task that has failed and has no retries left, unless its checks failed.
-- A task that is cleared and fails again adds a row. It has recovered if the checks of its interval have been evaluated
-- since: data_quality_results has later rows of the DAG that cover it. DAGs without checks have no such rows.
CREATE TABLE IF NOT EXISTS operations.task_failures (
    dag_id VARCHAR(250) NOT NULL,
    run_id VARCHAR(250) NOT NULL,
    -- As in data_quality_results.
    run_type VARCHAR(50) NOT NULL,
    task_id VARCHAR(250) NOT NULL,
    try_number INTEGER NOT NULL,
    -- NULL if the run has no valid interval.
    interval_start TIMESTAMP,
    interval_end TIMESTAMP,
    failed_at TIMESTAMP NOT NULL,
    -- The first line of the error message, truncated, without secrets.
    error VARCHAR(4096) NOT NULL
)
DISTSTYLE EVEN
SORTKEY (failed_at);

-- The summaries of backfills that were sent, a row for each.
CREATE TABLE IF NOT EXISTS operations.backfill_summaries (
    dag_id VARCHAR(250) NOT NULL,
    -- The time of the last row of data_quality_results or task_failures that the summary contains.
    summarized_until TIMESTAMP NOT NULL
)
DISTSTYLE EVEN
SORTKEY (dag_id, summarized_until);

-- The definitions of the tables: their DDL, and that of their rows. A run with another one changes or rebuilds the table;
-- a run with a former one is older code, and fails.
CREATE TABLE IF NOT EXISTS operations.table_definitions (
    table_name VARCHAR(256) NOT NULL,
    -- A hash of the definition.
    fingerprint VARCHAR(64) NOT NULL,
    -- ddl, the table's DDL; or rows, the SELECT and the keys that all its rows were loaded with.
    kind VARCHAR(8) NOT NULL DEFAULT 'rows',
    -- 1 for the table's first definition.
    version BIGINT NOT NULL DEFAULT 1,
    -- Whether it is the table's definition now.
    is_current BOOLEAN NOT NULL DEFAULT TRUE,
    -- When it was applied (UTC).
    recorded_at TIMESTAMP
)
DISTSTYLE EVEN
SORTKEY (table_name);
