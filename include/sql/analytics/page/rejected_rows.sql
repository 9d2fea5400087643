-- The latest rejected rows
-- If a file has too many, nothing of it is staged; of a quarantined object neither.
SELECT
    r.table_name,
    r.run_id,
    r.rejected_at,
    r.file_name,
    r.line_number,
    r.column_name,
    r.error_code,
    r.reason,
    r.raw_value,
    CASE WHEN r.period_start IS NULL THEN 'object' ELSE 'period' END AS source,
    COUNT(*) OVER () AS rejected
FROM operations.rejected_rows AS r
ORDER BY r.rejected_at DESC, r.file_name ASC, r.line_number ASC
LIMIT 25;
