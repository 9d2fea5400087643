-- Take the latest results of each check.
SELECT
    table_name, check_name, outcome, observed, expected, sample, run_id, interval_start, interval_end, checked_at
FROM (
    SELECT
        r.*,
        ROW_NUMBER() OVER (PARTITION BY table_name, check_name ORDER BY checked_at DESC) AS age
    FROM operations.data_quality_results AS r
) AS ranked
WHERE age <= {{ runs }}
ORDER BY table_name, check_name, checked_at DESC
