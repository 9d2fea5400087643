-- Delete the former parts of the periods.
DELETE FROM operations.staged_periods
WHERE
    table_name = '{{ table }}'
    AND period_start >= {{ literal(parts[0][0]) }} AND period_start <= {{ literal(parts[-1][0]) }};

-- Record the staged parts, and the version of the files of each.
INSERT INTO operations.staged_periods (
    table_name, period_start, version, part_start, part_end, objects, size_bytes, shrunk_from, staged_at, changes,
    loading_run
)
VALUES
{% for period_start, part in parts %}
(
    '{{ table }}', {{ literal(period_start) }}, '{{ part.version }}',
    {{ literal(part.interval.start) }}, {{ literal(part.interval.end) }},
    {{ part.objects if part.objects is not none else "NULL" }}, {{ part.size_bytes if part.size_bytes is not none else "NULL" }}, {{ part.shrunk_from or "NULL" }},
    {{ literal(part.staged_at) if part.staged_at else "NULL" }}, {{ part.changes }},
    {{ text(part.loading_run) if part.loading_run else "NULL" }}
){{ "," if not loop.last else ";" }}
{% endfor %}

-- Delete the rows of {{ interval }}.
DELETE FROM {{ table }} WHERE {{ owned(partition_column) }};
{% for landing in landings %}

-- Insert the rows of {{ landing.period }} that {{ interval }} owns.
INSERT INTO {{ table }} ({{ columns | join(", ") }}, {{ partition_column }})
SELECT {{ columns | join(", ") }}, {{ partition_column }}
FROM (
    SELECT
        {{ columns | join(", ") }},
        {# A row outside the period of its file belongs to the run that closes the period. #}
        CASE
            WHEN {{ interval_column }} >= {{ landing.start }} AND {{ interval_column }} < {{ landing.end }}
                THEN {{ interval_column }}
            ELSE {{ landing.last }}
        END AS {{ partition_column }}
    FROM {{ landing.name }}
    {# Rows with an invalid timestamp are rejected. #}
    WHERE {{ plausible }}
) AS landed
WHERE {{ owned(partition_column) }};
{% endfor %}
{# At the end: on Redshift, other staging tasks wait for the first write to the shared table. #}
{% if resampled %}

-- Delete the sampled fields of the former versions.
DELETE FROM operations.source_fields
WHERE table_name = '{{ table }}' AND period_start IN ({{ resampled | join(", ") }});
{% endif %}
