{% import "_macros.sql" as macros %}
-- Drop candidates older than the existing row.
DELETE FROM batch USING {{ table }}
WHERE {{ macros.match(keys, "batch", table) }} AND {{ table }}.row_version > batch.row_version;

-- Merge into {{ table }}.
MERGE INTO {{ table }} USING batch ON {{ macros.match(keys, table, "batch") }}
WHEN MATCHED THEN UPDATE SET {% for column in columns if column not in keys %}{{ column }} = batch.{{ column }}{{ ", " if not loop.last }}{% endfor %}

WHEN NOT MATCHED THEN INSERT ({{ columns | join(", ") }}) VALUES ({% for column in columns %}batch.{{ column }}{{ ", " if not loop.last }}{% endfor %});
