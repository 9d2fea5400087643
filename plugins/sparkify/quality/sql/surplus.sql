-- Count the rows beyond the first of each value.
SELECT CAST(COALESCE(SUM(copies - 1), 0) AS BIGINT) AS failing_rows
FROM (
{{ rows | indent(4, first=true) }}
) AS failing
