-- Forget what {{ table }} had loaded of the changes of {{ source }}.
DELETE FROM operations.loaded_changes WHERE table_name = '{{ table }}' AND source_name = '{{ source }}';

-- Record what {{ table }} has loaded of the changes of {{ source }}.
INSERT INTO operations.loaded_changes (table_name, source_name, change_id)
VALUES ('{{ table }}', '{{ source }}', {{ until }});
