-- Forget what {{ table }} had loaded of the changes of {{ source }}.
DELETE FROM operations.loaded_changes
WHERE table_name = '{{ table }}' AND source_name = '{{ source }}' AND change_id <= {{ until }};

-- Record what {{ table }} has loaded of the changes of {{ source }}, unless a concurrent run has loaded more.
INSERT INTO operations.loaded_changes (table_name, source_name, change_id)
SELECT '{{ table }}', '{{ source }}', {{ until }}
FROM (
    SELECT COUNT(*) AS number FROM operations.loaded_changes
    WHERE table_name = '{{ table }}' AND source_name = '{{ source }}'
) AS remaining
WHERE number = 0;
