{% import "_macros.sql" as macros %}
-- Find rows affected by changed batches of the lookup.
CREATE TEMP TABLE relinked AS
SELECT {{ table }}.*
FROM {{ table }}
WHERE
    {{ linked }}
    AND NOT ({{ changed }})
UNION
SELECT {{ table }}.*
FROM {{ table }}
INNER JOIN (
{{ found | indent(4, first=true) }}
) AS found ON {{ macros.match(keys, table, "found") }};

-- Repeat their lookup.
CREATE TEMP TABLE links AS
{{ macros.newest(select, keys, columns) }};

-- Update their links.
UPDATE {{ table }} SET {% for column in columns if column not in keys %}{{ column }} = links.{{ column }}{{ ", " if not loop.last }}{% endfor %}

FROM links
WHERE {{ macros.match(keys, table, "links") }} AND {{ table }}.row_version = links.row_version;
