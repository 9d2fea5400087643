-- Count what fails: {{ check }}.
SELECT COUNT(*) AS failing_rows
FROM (
{{ rows | indent(4, first=true) }}
) AS failing
