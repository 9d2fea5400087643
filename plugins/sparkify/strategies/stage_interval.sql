-- Drop what is staged of {{ interval }}.
DELETE FROM {{ table }} WHERE {{ owned(partition_column) }};
{% for landed in landings %}

-- Insert the rows of {{ landed.period }} that {{ interval }} owns.
INSERT INTO {{ table }} ({{ columns | join(", ") }}, {{ partition_column }})
SELECT {{ columns | join(", ") }}, {{ partition_column }}
FROM (
    SELECT
        {{ columns | join(", ") }},
        {# An event that lies outside its file's period belongs to the run that closes the period. #}
        CASE
            WHEN {{ interval_column }} >= {{ landed.start }} AND {{ interval_column }} < {{ landed.end }}
                THEN {{ interval_column }}
            ELSE {{ landed.last }}
        END AS {{ partition_column }}
    FROM {{ landed.table }}
) AS landed
WHERE {{ owned(partition_column) }};
{% endfor %}
