-- Delete the retired batches of {{ table }}.
DELETE FROM operations.loaded_batches
WHERE table_name = '{{ table }}' AND batch_id IN (SELECT batch_id FROM changed_batches);

-- Record the new batches of {{ table }}.
INSERT INTO operations.loaded_batches (table_name, batch_id)
SELECT '{{ table }}', batch_id
FROM (
    {% include "_batches.sql" %}

) AS current_batches
WHERE batch_id IN (SELECT batch_id FROM changed_batches);
