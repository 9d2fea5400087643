{% import "_macros.sql" as macros %}
-- Delete the rows that have lost their source.
DELETE FROM {{ table }} USING stale WHERE {{ macros.match(keys, table, "stale") }};

-- Delete the candidates of their keys.
DELETE FROM batch USING stale WHERE {{ macros.match(keys, "batch", "stale") }};

-- Select the newest candidate of each of their keys.
INSERT INTO batch ({{ columns | join(", ") }})
{{ macros.winners(select, keys, columns) }};
