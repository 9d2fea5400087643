{% import "_macros.sql" as macros %}
-- Select the newest candidate of each key among the changed rows.
CREATE TEMP TABLE batch AS
{{ macros.winners(select, keys, columns) }};

-- Find rows that have lost their source among the changed rows.
CREATE TEMP TABLE stale AS
SELECT {{ table }}.*
FROM {{ table }}
LEFT JOIN batch ON {{ macros.match(keys, "batch", table) }}
WHERE
    {{ changed }}
    AND (batch.row_version IS NULL OR batch.row_version < {{ table }}.row_version);
