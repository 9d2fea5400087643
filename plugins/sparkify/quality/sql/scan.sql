-- Measure {{ table }}: all that one scan can tell.
SELECT
    COUNT(*) AS total_rows
{%- for measure in measures %}
,
    {{ measure }} AS measure_{{ loop.index }}
{%- endfor %}

FROM {{ table }}
WHERE {{ scope }}
