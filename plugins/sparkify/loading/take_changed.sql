{% import "_macros.sql" as macros %}
-- Select the newest candidate of each key among the changed rows.
CREATE TEMP TABLE newest AS
{{ macros.newest(select, keys, columns) }};

-- Find rows that have lost their source among the changed rows.
CREATE TEMP TABLE stale AS
SELECT {{ table }}.*
FROM {{ table }}
LEFT JOIN newest ON {{ macros.match(keys, "newest", table) }}
WHERE
    {{ changed }}
    AND (newest.row_version IS NULL OR newest.row_version < {{ table }}.row_version);
