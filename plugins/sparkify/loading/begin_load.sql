-- Find the batches of {{ source or lookup }} that are new to {{ table }}, or retired.
CREATE TEMP TABLE changed_batches AS
SELECT COALESCE(staged.batch_id, loaded.batch_id) AS batch_id
FROM (
    {% include "_batches.sql" %}

) AS staged
FULL JOIN (
    SELECT batch_id FROM operations.loaded_batches
    WHERE table_name = '{{ table }}'
) AS loaded ON staged.batch_id = loaded.batch_id
WHERE staged.batch_id IS NULL OR loaded.batch_id IS NULL;
