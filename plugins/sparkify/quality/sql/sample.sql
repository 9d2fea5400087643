-- Take some of the failing rows.
SELECT *
FROM (
{{ rows | indent(4, first=true) }}
) AS failing
ORDER BY 1
LIMIT {{ limit }}
