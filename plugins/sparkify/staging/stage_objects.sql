{% if retired %}
-- Delete the rows of retired batches.
DELETE FROM {{ table }} WHERE batch_id IN ({{ retired | join(", ") }});

-- Retire the batches.
UPDATE operations.staged_batches SET is_live = FALSE
WHERE table_name = '{{ table }}' AND batch_id IN ({{ retired | join(", ") }});

-- Delete their objects from the ledger.
DELETE FROM operations.staged_objects
WHERE table_name = '{{ table }}' AND batch_id IN ({{ retired | join(", ") }});
{% endif %}
{% for batch in batches %}

-- Record batch {{ batch.id }}.
INSERT INTO operations.staged_batches (table_name, batch_id, is_live, objects, row_count, staged_at)
VALUES ('{{ table }}', {{ batch.id }}, TRUE, {{ batch.objects | length }}, {{ batch.rows }}, {{ staged_at }});

-- Insert the rows of batch {{ batch.id }}.
INSERT INTO {{ table }} ({{ columns | join(", ") }}, batch_id)
SELECT {{ columns | join(", ") }}, {{ batch.id }}
FROM {{ batch.landing_table }};
{% endfor %}
{# At the end: on Redshift, other staging tasks wait for the first write to the shared table. #}
{% if retired %}
-- Delete the sampled fields of retired batches.
DELETE FROM operations.source_fields
WHERE table_name = '{{ table }}' AND period_start IS NULL AND batch_id IN ({{ retired | join(", ") }});
{% endif %}
