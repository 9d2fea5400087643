{# The rows of the changed ones without a candidate, or with an older one only. #}
{% import "_macros.sql" as macros %}
LEFT JOIN newest ON {{ macros.match(keys, "newest", table) }}
WHERE
    {{ changed }}
    AND (newest.row_version IS NULL OR newest.row_version < {{ table }}.row_version)
