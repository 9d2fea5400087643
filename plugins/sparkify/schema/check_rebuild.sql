-- Check the rows of {{ beside }}.
SELECT
    former.row_count AS former_rows,
    rebuilt.row_count AS rebuilt_rows,
    {{ "keys.key_count" if keys else "rebuilt.row_count" }} AS rebuilt_keys,
    {{ "missing.key_count" if keys else "0" }} AS missing_keys
FROM (SELECT COUNT(*) AS row_count FROM {{ table }}) AS former
CROSS JOIN (SELECT COUNT(*) AS row_count FROM {{ beside }}) AS rebuilt
{% if keys -%}
CROSS JOIN (
    SELECT COUNT(*) AS key_count
    FROM (SELECT DISTINCT {{ keys | join(", ") }} FROM {{ beside }}) AS distinct_keys
) AS keys
CROSS JOIN (
    SELECT COUNT(*) AS key_count
    FROM (
        SELECT {{ keys | join(", ") }}
        FROM (
{{ source | indent(12, first=true) }}
        ) AS source_rows
        EXCEPT
        SELECT {{ keys | join(", ") }} FROM {{ beside }}
    ) AS missing_keys
) AS missing
{%- endif %};
