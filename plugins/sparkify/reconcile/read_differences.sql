-- Read the staged parts of all periods of {{ table }}, and the recorded differences.
SELECT
    COALESCE(p.period_start, d.period_start) AS period_start,
    p.version,
    p.part_start,
    p.part_end,
    p.staged_at,
    p.changes,
    p.loading_run,
    d.state,
    d.version AS found_version,
    d.found_at,
    d.attempts,
    d.run_id,
    d.triggered_at
FROM (
    SELECT period_start, version, part_start, part_end, staged_at, changes, loading_run
    FROM operations.staged_periods
    WHERE table_name = '{{ table }}'
) AS p
FULL OUTER JOIN (
    SELECT period_start, state, version, found_at, attempts, run_id, triggered_at
    FROM operations.source_differences
    WHERE table_name = '{{ table }}'
) AS d ON p.period_start = d.period_start
