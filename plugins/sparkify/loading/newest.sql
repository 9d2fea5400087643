{% import "_macros.sql" as macros %}
{{ macros.newest(select, keys, columns) }}
