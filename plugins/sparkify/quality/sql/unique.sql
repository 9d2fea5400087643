SELECT {{ column }}, COUNT(*) AS copies
FROM {{ table }}
WHERE {{ scope }}
GROUP BY {{ column }}
HAVING COUNT(*) > 1
