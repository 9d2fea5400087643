{% import "_macros.sql" as macros %}
-- Insert the newest candidate of each key.
INSERT INTO {{ table }} ({{ columns | join(", ") }})
{{ macros.newest(select, keys, columns) }};
