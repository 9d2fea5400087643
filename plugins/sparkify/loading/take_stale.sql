{% import "_macros.sql" as macros %}
-- Drop the unsupported rows.
DELETE FROM {{ table }} USING stale WHERE {{ macros.match(keys, table, "stale") }};

-- Drop what the batch has for their keys.
DELETE FROM batch USING stale WHERE {{ macros.match(keys, "batch", "stale") }};

-- Take, for each of their keys, the newest candidate of all.
INSERT INTO batch ({{ columns | join(", ") }})
{{ macros.winners(select, keys, columns) }};
