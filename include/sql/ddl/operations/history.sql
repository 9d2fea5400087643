-- The tables of this file keep their rows when a run drops and recreates all tables (recreate_tables).

-- The history of data quality: one row per check that a run has evaluated.
--
-- A run that is cleared adds rows.
CREATE TABLE IF NOT EXISTS operations.data_quality_results (
    -- DAG that evaluated the check.
    dag_id VARCHAR(250) NOT NULL,
    -- Run that evaluated the check.
    run_id VARCHAR(250) NOT NULL,
    -- Type of the run, as Airflow calls it: scheduled, backfill, manual, asset_triggered.
    run_type VARCHAR(50) NOT NULL,
    -- Start of the interval that was checked, UTC.
    interval_start TIMESTAMP NOT NULL,
    -- End of the interval that was checked, UTC, exclusive.
    interval_end TIMESTAMP NOT NULL,
    -- Time at which the check was evaluated, UTC.
    checked_at TIMESTAMP NOT NULL,
    -- Table that was checked.
    table_name VARCHAR(256) NOT NULL,
    -- Name of the check, unique in its table.
    check_name VARCHAR(256) NOT NULL,
    -- Kind of the check, such as not_null.
    kind VARCHAR(32) NOT NULL,
    -- Effect of the check if it does not pass: error fails the task, warn only alerts.
    severity VARCHAR(8) NOT NULL,
    -- Rows that were checked: those of the interval, or the whole table.
    scope VARCHAR(8) NOT NULL,
    -- Result of the check: passed; warned (severity warn) or failed (severity error).
    outcome VARCHAR(8) NOT NULL,
    -- The observed result, as text.
    observed VARCHAR(4096),
    -- The expected result, as text.
    expected VARCHAR(4096),
    -- Number of failing rows; 0 if the check measures a single number.
    failing_rows BIGINT NOT NULL,
    -- Number of checked rows.
    total_rows BIGINT NOT NULL,
    -- Up to five failing rows: a JSON array of objects. Personal.
    sample VARCHAR(65535),
    -- Duration of the check in the database. Unit: seconds.
    seconds DOUBLE PRECISION NOT NULL
)
DISTSTYLE EVEN
SORTKEY (checked_at);

-- The history of failed tasks: one row per task that has failed and has no retries left, unless its checks failed.
--
-- A task that is cleared and fails again adds a row. It has recovered if the checks of its interval have been evaluated
-- since: data_quality_results has later rows of the DAG that cover it. DAGs without checks have no such rows.
CREATE TABLE IF NOT EXISTS operations.task_failures (
    -- DAG of the failed task.
    dag_id VARCHAR(250) NOT NULL,
    -- Run of the failed task.
    run_id VARCHAR(250) NOT NULL,
    -- Type of the run, as in data_quality_results.
    run_type VARCHAR(50) NOT NULL,
    -- The failed task.
    task_id VARCHAR(250) NOT NULL,
    -- Number of the last try, from 1.
    try_number INTEGER NOT NULL,
    -- Start of the run's interval, UTC; NULL if the run has no valid interval.
    interval_start TIMESTAMP,
    -- End of the run's interval, UTC, exclusive; NULL if the run has no valid interval.
    interval_end TIMESTAMP,
    -- Time at which the task failed, UTC.
    failed_at TIMESTAMP NOT NULL,
    -- First line of the error message, truncated, without secrets.
    error VARCHAR(4096) NOT NULL
)
DISTSTYLE EVEN
SORTKEY (failed_at);

-- The summaries of backfills that were sent, one row each.
CREATE TABLE IF NOT EXISTS operations.backfill_summaries (
    -- DAG of the backfill.
    dag_id VARCHAR(250) NOT NULL,
    -- Time of the last row of data_quality_results or task_failures that the summary contains, UTC.
    summarized_until TIMESTAMP NOT NULL
)
DISTSTYLE EVEN
SORTKEY (dag_id, summarized_until);
