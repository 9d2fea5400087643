{% import "_macros.sql" as macros %}
-- Delete the spans that began there.
DELETE FROM {{ table }} USING windows
WHERE
    {{ macros.match(entity, table, "windows") }}
    AND {{ table }}.valid_from >= windows.window_start
    AND ({{ table }}.valid_from <= windows.window_end OR windows.window_end IS NULL);

-- Insert those that begin there.
INSERT INTO {{ table }} ({{ columns | join(", ") }}, valid_to, is_current, last_interval_time)
SELECT {{ columns | join(", ") }}, CAST(NULL AS TIMESTAMP) AS valid_to, TRUE AS is_current, last_interval_time
FROM spans;
