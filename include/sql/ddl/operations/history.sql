-- The tables of this file keep their rows when a run drops and recreates all tables (recreate_tables).

-- The history of data quality: a row for every check that a run has evaluated. A run that is cleared adds to it.
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

-- Until when the backfills are told of: a row for every summary that was sent.
CREATE TABLE IF NOT EXISTS operations.backfill_summaries (
    dag_id VARCHAR(250) NOT NULL,
    -- Of the last row of data_quality_results that it took in.
    told_until TIMESTAMP NOT NULL
)
DISTSTYLE EVEN
SORTKEY (dag_id, told_until);
