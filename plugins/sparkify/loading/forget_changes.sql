-- Delete the changes that every aggregate of {{ source }} has loaded.
DELETE FROM {{ changes }}
WHERE change_id <= (
    SELECT MIN(loaded.change_id) FROM operations.loaded_changes AS loaded
    WHERE loaded.source_name = '{{ source }}' AND loaded.table_name <> '{{ source }}'
);
