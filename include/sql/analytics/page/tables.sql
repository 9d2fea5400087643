-- Rows per table, the newest timestamp, and the number of invalid timestamps: before 1970 or in the future
-- The tables are those of include/sql/ddl. The timestamp is the first TIMESTAMP column; songs and artists have none. A
-- large table is not counted: its number of rows is the planner's estimate, as of its last ANALYZE.
{% set large = estimates | default({}) %}
{# The column by which the rows are sorted or indexed: their day, if they have one, or their time. #}
{% macro sorted_by(table) -%}
    {{ "t.day" if (table.types | default({})).get("day") == "DATE" else "t." ~ table.time }}
{%- endmacro %}
{# The latest valid day of the table, as a condition. #}
{% macro of_latest_day(table) -%}
    AND t.day = (SELECT MAX(l.day) FROM {{ table.name }} AS l WHERE {{ scope("l.day") }})
{%- endmacro %}
{% for table in tables %}
    SELECT
        '{{ table.name }}' AS table_name,
        {% if table.name in large %}
            CAST({{ large[table.name] }} AS BIGINT) AS row_count,
        {% else %}
            (SELECT COUNT(*) FROM {{ table.name }}) AS row_count,
        {% endif %}
        {% if table.time %}
            (
                SELECT MAX(t.{{ table.time }}) FROM {{ table.name }} AS t
                WHERE {{ scope("t." ~ table.time) }} {{ of_latest_day(table) if sorted_by(table) == "t.day" }}
            ) AS newest,
            (
                SELECT COUNT(t.{{ table.time }}) FROM {{ table.name }} AS t
                WHERE NOT ({{ scope(sorted_by(table)) }})
            ) AS implausible,
        {% else %}
            CAST(NULL AS TIMESTAMP) AS newest,
            CAST(0 AS BIGINT) AS implausible,
        {% endif %}
        {{ "TRUE" if table.name in large else "FALSE" }} AS is_estimate
    {% if not loop.last %}
        UNION ALL
    {% endif %}
{% endfor %}
ORDER BY table_name ASC;
