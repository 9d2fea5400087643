{% import "_macros.sql" as macros %}
-- Empty {{ table }} (not TRUNCATE, which would commit on Redshift).
DELETE FROM {{ table }};

-- Insert, for each key, the newest candidate of all.
INSERT INTO {{ table }} ({{ columns | join(", ") }})
{{ macros.winners(select, keys, columns) }};
