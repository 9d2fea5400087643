-- Forget the batches that {{ table }} held.
DELETE FROM operations.loaded_batches WHERE table_name = '{{ table }}';

-- Remember the batches that {{ table }} holds now.
INSERT INTO operations.loaded_batches (table_name, batch_id)
SELECT '{{ table }}', batch_id
FROM (
    {% include "_batches.sql" %}

) AS current_batches;
