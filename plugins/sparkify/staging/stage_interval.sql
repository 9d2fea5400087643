-- Delete the former versions of the files.
DELETE FROM operations.staged_periods
WHERE table_name = '{{ table }}' AND period_start >= {{ versions[0].start }} AND period_start <= {{ versions[-1].start }};

-- Record the versions of the files.
INSERT INTO operations.staged_periods (table_name, period_start, version)
VALUES {% for version in versions %}('{{ table }}', {{ version.start }}, '{{ version.version }}'){{ ", " if not loop.last }}{% endfor %};

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
