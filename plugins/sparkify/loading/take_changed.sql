{% import "_macros.sql" as macros %}
-- Take, for each key, the newest candidate among the rows that changed.
CREATE TEMP TABLE batch AS
{{ macros.winners(select, keys, columns) }};

-- Find rows that came from what changed, and that it no longer supports.
CREATE TEMP TABLE stale AS
SELECT {{ table }}.*
FROM {{ table }}
LEFT JOIN batch ON {{ macros.match(keys, "batch", table) }}
WHERE
    {{ changed }}
    AND (batch.row_version IS NULL OR batch.row_version < {{ table }}.row_version);
