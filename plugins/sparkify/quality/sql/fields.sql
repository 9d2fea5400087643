-- Read the sampled fields of {{ table }}.
{% if start %}
SELECT
    1 AS is_checked, f.period_start, f.batch_id, f.field_name, f.column_name, f.json_type, f.occurrences, f.file_name,
    f.line_number
FROM operations.source_fields AS f
WHERE f.table_name = '{{ table }}' AND f.period_start >= {{ start }} AND f.period_start < {{ end }}
UNION ALL
SELECT
    0 AS is_checked, CAST(NULL AS TIMESTAMP) AS period_start, CAST(NULL AS BIGINT) AS batch_id, h.field_name,
    h.column_name, h.json_type, CAST(SUM(h.occurrences) AS BIGINT) AS occurrences, '' AS file_name, 0 AS line_number
FROM operations.source_fields AS h
WHERE h.table_name = '{{ table }}' AND h.period_start >= {{ history }} AND h.period_start < {{ start }}
GROUP BY h.field_name, h.column_name, h.json_type
{% else %}
SELECT
    1 AS is_checked, f.period_start, f.batch_id, f.field_name, f.column_name, f.json_type, f.occurrences, f.file_name,
    f.line_number
FROM operations.source_fields AS f
WHERE f.table_name = '{{ table }}'
ORDER BY f.batch_id DESC
LIMIT {{ limit }}
{% endif %}
