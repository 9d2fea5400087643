{% import "_macros.sql" as macros %}
-- Move the ends of spans that have changed.
UPDATE {{ table }} SET
    valid_to = ends.valid_to,
    is_current = CASE WHEN ends.valid_to IS NULL THEN TRUE ELSE FALSE END
FROM (
    SELECT
        {% for key in keys %}
        spans_of.{{ key }},
        {% endfor %}
        LEAD(spans_of.valid_from) OVER (
            PARTITION BY {% for name in entity %}spans_of.{{ name }}{{ ", " if not loop.last }}{% endfor %}

            ORDER BY spans_of.valid_from
        ) AS valid_to
    FROM (SELECT DISTINCT {{ entity | join(", ") }} FROM changed_moments) AS entities
    INNER JOIN {{ table }} AS spans_of ON {{ macros.match(entity, "spans_of", "entities") }}
) AS ends
WHERE
    {{ macros.match(keys, table, "ends") }}
    AND (
        {{ table }}.valid_to <> ends.valid_to
        OR ({{ table }}.valid_to IS NULL AND ends.valid_to IS NOT NULL)
        OR ({{ table }}.valid_to IS NOT NULL AND ends.valid_to IS NULL)
    );
