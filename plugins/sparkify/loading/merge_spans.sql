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

-- Find out when the spans of these entities end.
CREATE TEMP TABLE ends AS
SELECT
    {% for key in keys %}
    {{ table }}.{{ key }},
    {% endfor %}
    LEAD({{ table }}.valid_from) OVER (
        PARTITION BY {% for name in entity %}{{ table }}.{{ name }}{{ ", " if not loop.last }}{% endfor %}

        ORDER BY {{ table }}.valid_from
    ) AS valid_to
FROM (SELECT DISTINCT {{ entity | join(", ") }} FROM changed_moments) AS entities
INNER JOIN {{ table }} ON {{ macros.match(entity, table, "entities") }};

-- Move the ends that have changed.
UPDATE {{ table }} SET
    valid_to = ends.valid_to,
    is_current = CASE WHEN ends.valid_to IS NULL THEN TRUE ELSE FALSE END
FROM ends
WHERE
    {{ macros.match(keys, table, "ends") }}
    AND (
        {{ table }}.valid_to <> ends.valid_to
        OR ({{ table }}.valid_to IS NULL AND ends.valid_to IS NOT NULL)
        OR ({{ table }}.valid_to IS NOT NULL AND ends.valid_to IS NULL)
    );
