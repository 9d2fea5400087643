{% import "_macros.sql" as macros %}
-- Drop the unsupported rows.
DELETE FROM {{ table }} USING stale WHERE {{ macros.match(keys, table, "stale") }};

-- Drop what the batch has for their keys.
DELETE FROM batch USING stale WHERE {{ macros.match(keys, "batch", "stale") }};

-- Take, for each of their keys, the newest candidate of all.
INSERT INTO batch ({{ columns | join(", ") }})
{{ macros.winners(select, keys, columns) }};
{% if adopted %}

-- Mark them, for tables that are loaded from this one.
UPDATE batch SET {{ adopted[0] }} = {{ adopted[1] }}
FROM stale WHERE {{ macros.match(keys, "batch", "stale") }};
{% endif %}
