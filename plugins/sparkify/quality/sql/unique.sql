SELECT {{ columns | join(", ") }}, COUNT(*) AS copies
FROM {{ table }}
WHERE {{ scope }}{% for column in columns %} AND {{ column }} IS NOT NULL{% endfor %}

GROUP BY {{ columns | join(", ") }}
HAVING COUNT(*) > 1
