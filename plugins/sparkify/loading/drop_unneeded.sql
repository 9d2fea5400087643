{% import "_macros.sql" as macros %}
-- Drop candidates older than the existing row, and those that are the same: MERGE would write the row again.
DELETE FROM newest USING {{ table }}
WHERE
    {{ macros.match(keys, "newest", table) }}
    AND ({{ table }}.row_version > newest.row_version OR ({{ macros.same(columns | reject("in", keys), table, "newest") }}));
