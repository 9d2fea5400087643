-- Measure {{ table }}: all values that one scan can provide.
SELECT
    COUNT(*) AS total_rows
{%- for measure in measures %}
,
    {{ measure }} AS measure_{{ loop.index }}
{%- endfor %}

FROM {{ table }}
WHERE {{ scope }}
