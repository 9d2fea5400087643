{% import "_macros.sql" as macros %}
-- Drop candidates older than the existing row.
DELETE FROM newest USING {{ table }}
WHERE {{ macros.match(keys, "newest", table) }} AND {{ table }}.row_version > newest.row_version;
