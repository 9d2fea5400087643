-- Count the failing rows.
SELECT COUNT(*) AS failing_rows
FROM (
{{ rows | indent(4, first=true) }}
) AS failing
