-- Measure {{ scans | length }} tables: all values that one scan of each can provide.
SELECT
{% for scan in scans %}
{% set number = loop.index %}
    scan_{{ number }}.total_rows AS total_rows_{{ number }}
{%- for measure in scan.measures %}
,
    scan_{{ number }}.measure_{{ loop.index }} AS measure_{{ number }}_{{ loop.index }}
{%- endfor %}
{{ "," if not loop.last }}
{% endfor %}
FROM
{% for scan in scans %}
    {{ "CROSS JOIN " if not loop.first }}(
        SELECT
            COUNT(*) AS total_rows
{%- for measure in scan.measures %}
,
            {{ measure }} AS measure_{{ loop.index }}
{%- endfor %}

        FROM {{ scan.table }}
        WHERE {{ scan.where }}
    ) AS scan_{{ loop.index }}
{% endfor %}
