-- Find out what {{ table }} has not loaded of the changes of {{ source }}.
SELECT
    (SELECT MAX(known.change_id)
    FROM (
        SELECT MAX(image.change_id) AS change_id FROM {{ changes }} AS image
        UNION ALL
        SELECT MAX(mark.change_id) FROM operations.loaded_changes AS mark WHERE mark.source_name = '{{ source }}'
    ) AS known) AS until,
    MAX(CASE WHEN loaded.table_name = '{{ table }}' THEN loaded.change_id END) AS since,
    MAX(CASE WHEN loaded.table_name = '{{ source }}' THEN loaded.change_id END) AS rebuilt
FROM operations.loaded_changes AS loaded
WHERE loaded.source_name = '{{ source }}';
