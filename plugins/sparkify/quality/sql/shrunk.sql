SELECT DISTINCT period_start, shrunk_from AS bytes_before, size_bytes AS bytes
FROM operations.staged_periods
WHERE
    table_name = '{{ table }}' AND period_start >= {{ start }} AND period_start < {{ end }}
    AND shrunk_from IS NOT NULL
