{# The next change_id of {{ source }}: no image, mark or rebuild has it. The lock on the source makes it unique. #}
SELECT COALESCE(MAX(used.change_id), 0) + 1 AS change_id
FROM (
    SELECT change_id FROM {{ changes }}
    UNION ALL
    SELECT change_id FROM operations.loaded_changes WHERE source_name = '{{ source }}'
) AS used
