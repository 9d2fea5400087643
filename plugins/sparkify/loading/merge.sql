{% import "_macros.sql" as macros %}
-- Drop candidates older than the existing row.
DELETE FROM newest USING {{ table }}
WHERE {{ macros.match(keys, "newest", table) }} AND {{ table }}.row_version > newest.row_version;

-- Merge into {{ table }}.
MERGE INTO {{ table }} USING newest ON {{ macros.match(keys, table, "newest") }}
WHEN MATCHED THEN UPDATE SET {% for column in columns if column not in keys %}{{ column }} = newest.{{ column }}{{ ", " if not loop.last }}{% endfor %}

WHEN NOT MATCHED THEN INSERT ({{ columns | join(", ") }}) VALUES ({% for column in columns %}newest.{{ column }}{{ ", " if not loop.last }}{% endfor %});
