-- Number the rebuild of {{ source }}.
CREATE TEMP TABLE rebuilt AS
{% include "_next_change.sql" %}
;

-- Forget its former rebuild.
DELETE FROM operations.loaded_changes WHERE table_name = '{{ source }}' AND source_name = '{{ source }}';

-- Record that {{ source }} was rebuilt.
INSERT INTO operations.loaded_changes (table_name, source_name, change_id)
SELECT '{{ source }}', '{{ source }}', rebuilt.change_id FROM rebuilt;
