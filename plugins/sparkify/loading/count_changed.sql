{% import "_macros.sql" as macros %}
-- Count the candidates, those that are older than the existing row or the same, and the rows without their source.
SELECT
    COUNT(*) AS candidates,
    COUNT(CASE WHEN {{ table }}.row_version > newest.row_version THEN 1 END) AS older,
    COUNT(CASE WHEN {{ macros.same(columns | reject("in", keys), table, "newest") }} THEN 1 END) AS unchanged,
    (
        SELECT COUNT(*) FROM {{ table }}
{% filter indent(8, first=true) %}{% include "_lost.sql" %}{% endfilter %}

    ) AS lost
FROM newest
LEFT JOIN {{ table }} ON {{ macros.match(keys, table, "newest") }};
