{% macro match(keys, left, right) %}
{% for key in keys %}{{ left }}.{{ key }} = {{ right }}.{{ key }}{{ " AND " if not loop.last }}{% endfor %}
{% endmacro %}

{# Whether two rows of a key are the same. A version does not tell: what was looked up is not part of it. #}
{% macro same(columns, left, right) %}
{{ left }}.row_version = {{ right }}.row_version
{% for column in columns if column != "row_version" %}
        AND (
            {{ left }}.{{ column }} = {{ right }}.{{ column }}
            OR ({{ left }}.{{ column }} IS NULL AND {{ right }}.{{ column }} IS NULL)
        )
{% endfor %}
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
