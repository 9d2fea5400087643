{# Whether a row has other values than another one; NULL is a value. #}
{% macro differs(left, right, tracked) %}
({% for name in tracked %}{{ left }}{{ name }} <> {{ right }}{{ name }} OR ({{ left }}{{ name }} IS NULL AND {{ right }}{{ name }} IS NOT NULL) OR ({{ left }}{{ name }} IS NOT NULL AND {{ right }}{{ name }} IS NULL){{ " OR " if not loop.last }}{% endfor %})
{%- endmacro %}
{#
  The moments at which a span begins: where a candidate differs from the one before it. The newest candidate of a moment
  has its values. Candidates of the same moment that contradict each other begin a span, too, even if the newest agrees
  with what was before: otherwise nothing would remind of the others, when the newest is withdrawn.
#}
{% macro beginning(steps, partition, columns, tracked, is_kept="0", last="interval_time") %}
SELECT {{ columns | join(", ") }}, first_interval_time AS interval_time, last_interval_time
FROM (
    SELECT
        compared.*,
        MIN(interval_time) OVER (PARTITION BY {{ partition | join(", ") }}, valid_from) AS first_interval_time,
        MAX({{ last }}) OVER (PARTITION BY {{ partition | join(", ") }}, valid_from) AS last_interval_time,
        MAX(
            CASE WHEN {{ is_kept }} = 1 OR previous_from IS NULL OR {{ differs("", "previous_", tracked) }} THEN 1 ELSE 0 END
        ) OVER (PARTITION BY {{ partition | join(", ") }}, valid_from) AS begins
    FROM (
        SELECT
            steps.*,
            {% for name in tracked %}
            LAG({{ name }}) OVER (PARTITION BY {{ partition | join(", ") }} ORDER BY valid_from, row_version) AS previous_{{ name }},
            {% endfor %}
            LAG(valid_from) OVER (PARTITION BY {{ partition | join(", ") }} ORDER BY valid_from, row_version) AS previous_from,
            LEAD(valid_from) OVER (PARTITION BY {{ partition | join(", ") }} ORDER BY valid_from, row_version) AS next_from
        FROM (
{{ steps | indent(12, first=true) }}
        ) AS steps
    ) AS compared
) AS moments
WHERE begins = 1 AND (next_from > valid_from OR next_from IS NULL)
{%- endmacro %}
