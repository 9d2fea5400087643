-- Count the failing rows of {{ counts | length }} checks.
{% for label, count in counts.items() %}
SELECT
    {{ text(label) }} AS check_label,
    failing_rows
FROM (
{{ count | indent(4, first=true) }}
) AS counted
{% if not loop.last %}
UNION ALL
{% endif %}
{% endfor %};
