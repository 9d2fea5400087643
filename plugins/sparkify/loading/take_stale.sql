{% import "_macros.sql" as macros %}
-- Delete the rows that have lost their source.
DELETE FROM {{ table }} USING stale WHERE {{ macros.match(keys, table, "stale") }};

-- Delete the candidates of their keys.
DELETE FROM newest USING stale WHERE {{ macros.match(keys, "newest", "stale") }};

-- Select the newest candidate of each of their keys.
INSERT INTO newest ({{ columns | join(", ") }})
{{ macros.newest(select, keys, columns) }};
