{% import "_macros.sql" as macros %}
-- Merge into {{ table }}.
MERGE INTO {{ table }} USING newest ON {{ macros.match(keys, table, "newest") }}
WHEN MATCHED THEN UPDATE SET {% for column in columns if column not in keys %}{{ column }} = newest.{{ column }}{{ ", " if not loop.last }}{% endfor %}

WHEN NOT MATCHED THEN INSERT ({{ columns | join(", ") }}) VALUES ({% for column in columns %}newest.{{ column }}{{ ", " if not loop.last }}{% endfor %});
