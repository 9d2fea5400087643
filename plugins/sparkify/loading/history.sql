{% import "_spans.sql" as spans %}
SELECT {{ columns | join(", ") }}, valid_to, CASE WHEN valid_to IS NULL THEN TRUE ELSE FALSE END AS is_current, last_interval_time
FROM (
    SELECT
        beginnings.*,
        LEAD(valid_from) OVER (PARTITION BY {{ entity | join(", ") }} ORDER BY valid_from) AS valid_to
    FROM (
{{ spans.beginning(select, entity, values, tracked) | indent(8, first=true) }}
    ) AS beginnings
) AS ended
