-- Describe the columns of tables.
SELECT
    table_schema,
    table_name,
    column_name,
    data_type,
    character_maximum_length
FROM information_schema.columns
WHERE
{% for schema, table in tables %}
    (table_schema = '{{ schema }}' AND table_name = '{{ table }}'){{ " OR" if not loop.last }}
{% endfor %}
ORDER BY table_schema, table_name, ordinal_position;
