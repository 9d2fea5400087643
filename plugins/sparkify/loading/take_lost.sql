{% import "_macros.sql" as macros %}
-- Find the rows that have lost their source among the changed rows.
CREATE TEMP TABLE lost AS
SELECT {{ table }}.*
FROM {{ table }}
{% include "_lost.sql" %}
;

-- Delete the rows that have lost their source.
DELETE FROM {{ table }} USING lost WHERE {{ macros.match(keys, table, "lost") }};

-- Delete the candidates of their keys.
DELETE FROM newest USING lost WHERE {{ macros.match(keys, "newest", "lost") }};

-- Select the newest candidate of each of their keys.
INSERT INTO newest ({{ columns | join(", ") }})
{{ macros.newest(select, keys, columns) }};
