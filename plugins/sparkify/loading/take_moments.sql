{% import "_macros.sql" as macros %}
{% import "_spans.sql" as spans %}
-- Select the candidates of the interval.
CREATE TEMP TABLE moments AS
{{ select }};

-- Find the moments at which the spans disagree with them, and the spans that have lost their source.
CREATE TEMP TABLE changed_moments AS
SELECT {% for key in keys %}moments.{{ key }}{{ ", " if not loop.last }}{% endfor %}

FROM moments
LEFT JOIN {{ table }}
    ON
        {{ macros.match(entity, table, "moments") }}
        AND {{ table }}.valid_from <= moments.valid_from
        AND ({{ table }}.valid_to > moments.valid_from OR {{ table }}.valid_to IS NULL)
WHERE
    {{ table }}.valid_from IS NULL
    OR ({{ table }}.valid_from = moments.valid_from AND {{ table }}.row_version < moments.row_version)
    OR ({{ table }}.valid_from < moments.valid_from AND {{ spans.differs(table ~ ".", "moments.", tracked) }})
UNION
SELECT {% for key in keys %}{{ table }}.{{ key }}{{ ", " if not loop.last }}{% endfor %}

FROM {{ table }}
LEFT JOIN moments
    ON
        {{ macros.match(keys + ["interval_time"], "moments", table) }}
        AND moments.row_version = {{ table }}.row_version
WHERE
    {{ owned }}
    AND moments.row_version IS NULL
UNION
-- Spans that begin although nothing changes, because of candidates that contradict each other.
SELECT {% for key in keys %}{{ table }}.{{ key }}{{ ", " if not loop.last }}{% endfor %}

FROM {{ table }}
INNER JOIN {{ table }} AS previous ON {{ macros.match(entity, "previous", table) }} AND previous.valid_to = {{ table }}.valid_from
WHERE
    {{ owned }}
    AND NOT {{ spans.differs("previous.", table ~ ".", tracked) }}
UNION
-- Spans of candidates of several intervals.
SELECT {% for key in keys %}{{ table }}.{{ key }}{{ ", " if not loop.last }}{% endfor %}

FROM {{ table }}
WHERE
    {{ table }}.interval_time < {{ table }}.last_interval_time
    AND {{ table }}.interval_time < {{ end }}
    AND {{ table }}.last_interval_time >= {{ start }};
