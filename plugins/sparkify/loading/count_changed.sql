{% import "_macros.sql" as macros %}
-- Count the candidates, those that are older than the existing row, and the rows that have lost their source.
SELECT
    (SELECT COUNT(*) FROM newest) AS candidates,
    (
        SELECT COUNT(*) FROM newest
        INNER JOIN {{ table }} ON {{ macros.match(keys, table, "newest") }}
        WHERE {{ table }}.row_version > newest.row_version
    ) AS older,
    (
        SELECT COUNT(*) FROM {{ table }}
{% filter indent(8, first=true) %}{% include "_lost.sql" %}{% endfilter %}

    ) AS lost;
