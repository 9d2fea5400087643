{# The batches that a table should hold: those staged of its source, or those that its lookup table has loaded. #}
{% if source %}
SELECT batch_id FROM operations.staged_batches WHERE table_name = '{{ source }}' AND is_live
{%- else %}
SELECT batch_id FROM operations.loaded_batches WHERE table_name = '{{ lookup }}'
{%- endif %}
