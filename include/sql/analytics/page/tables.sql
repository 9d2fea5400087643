-- Rows per table, the newest timestamp, and the number of invalid timestamps: before 1970 or in the future
-- The tables are those of include/sql/ddl. The timestamp is the first TIMESTAMP column; songs and artists have none.
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
