-- Find the recorded definitions of {{ tables | join(", ") }}.
SELECT
    table_name,
    fingerprint,
    version,
    is_current,
    recorded_at
FROM operations.table_definitions
WHERE kind = '{{ kind }}' AND table_name IN ('{{ tables | join("', '") }}');
