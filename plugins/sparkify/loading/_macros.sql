{% macro match(keys, left, right) %}
{% for key in keys %}{{ left }}.{{ key }} = {{ right }}.{{ key }}{{ " AND " if not loop.last }}{% endfor %}
{% endmacro %}

{% macro newest(select, keys, columns) %}
SELECT {{ columns | join(", ") }}
FROM (
    SELECT
        candidates.*,
        ROW_NUMBER() OVER (
            PARTITION BY {{ keys | join(", ") }}
            ORDER BY row_version DESC, {{ columns | join(", ") }}
        ) AS candidate_rank
    FROM (
{{ select | indent(8, first=true) }}
    ) AS candidates
) AS ranked
WHERE candidate_rank = 1
{% endmacro %}
