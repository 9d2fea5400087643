-- Note in the history that {{ outcome.table }} failed.
INSERT INTO operations.data_quality_results (
    dag_id, run_id, run_type, interval_start, interval_end, checked_at, table_name, check_name, kind, severity, scope,
    outcome, observed, expected, failing_rows, total_rows, sample, seconds
)
VALUES (
    '{{ run.dag_id }}', '{{ run.run_id }}', '{{ run.run_type }}', {{ start }}, {{ end }}, {{ now }},
    '{{ outcome.table }}', '{{ outcome.check }}', '{{ outcome.kind }}', '{{ outcome.severity }}', '{{ outcome.scope }}',
    '{{ outcome.outcome }}', {{ observed }}, '{{ outcome.expected }}', 0, 0, NULL, 0
);
