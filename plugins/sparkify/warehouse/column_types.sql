-- Describe the columns of tables.
SELECT
    columns.table_schema,
    columns.table_name,
    columns.column_name,
    columns.data_type,
    columns.character_maximum_length,
    of_tables.description AS table_comment,
    of_columns.description AS column_comment
FROM information_schema.columns AS columns
INNER JOIN pg_namespace AS namespaces ON columns.table_schema = namespaces.nspname
INNER JOIN pg_class AS relations ON columns.table_name = relations.relname AND namespaces.oid = relations.relnamespace
INNER JOIN pg_attribute AS attributes ON columns.column_name = attributes.attname AND relations.oid = attributes.attrelid
-- The comments of tables and columns are those of the catalogue pg_class; objects of others may have the same oid.
INNER JOIN pg_class AS catalogues ON catalogues.relname = 'pg_class'
LEFT JOIN pg_description AS of_tables
    ON relations.oid = of_tables.objoid AND catalogues.oid = of_tables.classoid AND of_tables.objsubid = 0
LEFT JOIN pg_description AS of_columns
    ON
        relations.oid = of_columns.objoid
        AND catalogues.oid = of_columns.classoid
        AND attributes.attnum = of_columns.objsubid
WHERE
{% for schema, table in tables %}
    (columns.table_schema = '{{ schema }}' AND columns.table_name = '{{ table }}'){{ " OR" if not loop.last }}
{% endfor %}
ORDER BY columns.table_schema, columns.table_name, columns.ordinal_position;
