{% import "_macros.sql" as macros %}
-- Empty {{ table }} (not TRUNCATE, which would commit on Redshift).
DELETE FROM {{ table }};

-- Insert the newest candidate of each key.
INSERT INTO {{ table }} ({{ columns | join(", ") }})
{{ macros.newest(select, keys, columns) }};
