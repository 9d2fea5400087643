{% if retired %}
-- Delete the retired batches of {{ table }}.
DELETE FROM operations.loaded_batches
WHERE table_name = '{{ table }}' AND batch_id IN ({{ retired | join(", ") }});
{% endif %}
{% if new %}
-- Record the new batches of {{ table }}.
INSERT INTO operations.loaded_batches (table_name, batch_id)
VALUES {% for batch_id in new %}('{{ table }}', {{ batch_id }}){{ ", " if not loop.last }}{% endfor %};
{% endif %}
