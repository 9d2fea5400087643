{# What is changed by each row: a definition, a batch, the feed of changes, or rows of the interval. #}
-- Find out what {{ table }} has to load.
SELECT
    'definition' AS found,
    fingerprint,
    version AS number,
    is_current,
    recorded_at
FROM operations.table_definitions
WHERE kind = 'rows' AND table_name = '{{ table }}'
{% if source or lookup %}
UNION ALL
SELECT
    CASE WHEN loaded.batch_id IS NULL THEN 'new batch' ELSE 'retired batch' END AS found,
    NULL AS fingerprint,
    COALESCE(staged.batch_id, loaded.batch_id) AS number,
    NULL AS is_current,
    NULL AS recorded_at
FROM (
    {% include "_batches.sql" %}

) AS staged
FULL JOIN (
    SELECT batch_id FROM operations.loaded_batches
    WHERE table_name = '{{ table }}'
) AS loaded ON staged.batch_id = loaded.batch_id
WHERE staged.batch_id IS NULL OR loaded.batch_id IS NULL
{% endif %}
{% if facts %}
UNION ALL
SELECT
    'change' AS found,
    NULL AS fingerprint,
    MAX(known.change_id) AS number,
    NULL AS is_current,
    NULL AS recorded_at
FROM (
    SELECT MAX(image.change_id) AS change_id FROM {{ changes }} AS image
    UNION ALL
    SELECT MAX(mark.change_id) AS change_id FROM operations.loaded_changes AS mark WHERE mark.source_name = '{{ facts }}'
) AS known
UNION ALL
SELECT
    CASE WHEN table_name = '{{ table }}' THEN 'loaded change' ELSE 'rebuild' END AS found,
    NULL AS fingerprint,
    change_id AS number,
    NULL AS is_current,
    NULL AS recorded_at
FROM operations.loaded_changes
WHERE source_name = '{{ facts }}' AND table_name IN ('{{ table }}', '{{ facts }}')
{% endif %}
{% for select in rows %}
UNION ALL
SELECT
    'rows' AS found,
    NULL AS fingerprint,
    number,
    NULL AS is_current,
    NULL AS recorded_at
FROM (SELECT 1 AS number) AS one
WHERE EXISTS (
{{ select | indent(4, first=true) }}
)
{% endfor %};
