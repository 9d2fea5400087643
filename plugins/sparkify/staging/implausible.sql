-- Find the rows of {{ landing }} with an invalid timestamp.
SELECT
    CAST({{ column }} AS VARCHAR(64)) AS found_value,
    COUNT(*) OVER () AS found_rows
FROM {{ landing }}
WHERE NOT ({{ plausible }})
ORDER BY {{ column }}
LIMIT {{ limit }};
