SELECT file_name, line_number, column_name, error_code, reason
FROM operations.rejected_rows
WHERE table_name = '{{ table }}'{% if start %} AND period_start >= {{ start }} AND period_start < {{ end }}{% endif %}
