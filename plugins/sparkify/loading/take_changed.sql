{% import "_macros.sql" as macros %}
-- Select the newest candidate of each key among the changed rows.
CREATE TEMP TABLE newest AS
{{ macros.newest(select, keys, columns) }};
