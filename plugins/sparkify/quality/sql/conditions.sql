{# The rows that fail, as conditions. #}
{% macro not_null(columns) %}
{% for column in columns %}{{ column }} IS NULL{{ " OR " if not loop.last }}{% endfor %}
{% endmacro %}

{# Redshift compares text without its trailing blanks. #}
{% macro accepted_values(column, values, or_null, texts) %}
{% if not or_null %}{{ column }} IS NULL OR {% endif %}{{ "RTRIM(" ~ column ~ ")" if texts else column }} NOT IN ({{ values | join(", ") }})
{% endmacro %}

{% macro range(column, min, max) %}
{% if min is not none %}{{ column }} < {{ min }}{% endif %}
{{- " OR " if min is not none and max is not none }}
{%- if max is not none %}{{ column }} > {{ max }}{% endif %}

{% endmacro %}
