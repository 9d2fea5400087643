-- Find the shared landing tables, and when they were created.
SELECT
    found.relname,
    notes.description AS created
FROM pg_catalog.pg_class AS found
INNER JOIN pg_catalog.pg_namespace AS namespaces ON found.relnamespace = namespaces.oid
LEFT JOIN pg_catalog.pg_description AS notes ON found.oid = notes.objoid AND notes.objsubid = 0
WHERE namespaces.nspname = '{{ schema }}' AND found.relname LIKE '{{ prefix }}%' AND found.relkind = 'r'
ORDER BY found.relname;
