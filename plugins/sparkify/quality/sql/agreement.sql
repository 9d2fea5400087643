{% set expected %}
    SELECT {{ key }} AS agreed
    FROM {{ other }}
    WHERE {{ other_scope }}{% if where %} AND ({{ where }}){% endif %}

{% endset %}
{# DISTINCT after the join: usually nothing is left to sort. A key that was delivered twice counts once. #}
SELECT DISTINCT expected.agreed AS {{ column }}, 'lost' AS problem
FROM (
{{ expected -}}
) AS expected
LEFT JOIN {{ table }} AS target ON target.{{ column }} = expected.agreed
WHERE target.{{ column }} IS NULL
UNION ALL
SELECT target.{{ column }}, 'not in {{ other }}' AS problem
FROM {{ table }} AS target
LEFT JOIN (
{{ expected -}}
) AS expected ON target.{{ column }} = expected.agreed
WHERE {{ scope }} AND expected.agreed IS NULL
