-- Count the staged rows of each {{ period }}.
SELECT
    DATE_TRUNC('{{ period }}', {{ column }}) AS period_start,
    COUNT(*) AS staged_rows
FROM {{ table }}
WHERE {{ span(column) }}
GROUP BY DATE_TRUNC('{{ period }}', {{ column }});
