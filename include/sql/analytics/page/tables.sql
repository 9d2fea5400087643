-- Rows per table, the time of the newest, and how many have a time that cannot be true: before 1970 or in the future
-- The tables are those of include/sql/ddl; the time of a row is its first TIMESTAMP, which songs and artists lack.
{% for table in tables %}
    SELECT
        '{{ table.name }}' AS table_name,
        COUNT(*) AS row_count,
        {% if table.time %}
            MAX(CASE WHEN {{ scope(table.time) }} THEN {{ table.time }} END) AS newest,
            COUNT(*) - COUNT(CASE WHEN {{ scope(table.time) }} THEN 1 END) AS implausible
        {% else %}
            CAST(NULL AS TIMESTAMP) AS newest,
            CAST(0 AS BIGINT) AS implausible
        {% endif %}
    FROM {{ table.name }}
    {% if not loop.last %}
        UNION ALL
    {% endif %}
{% endfor %}
ORDER BY table_name ASC;
