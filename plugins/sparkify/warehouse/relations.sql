-- Find tables and indexes in the catalogue.
SELECT
    namespaces.nspname,
    relations.relname,
    attributes.attname,
    namespaces.nspname = CURRENT_SCHEMA() AS is_current
FROM pg_class AS relations
INNER JOIN pg_namespace AS namespaces ON relations.relnamespace = namespaces.oid
INNER JOIN pg_attribute AS attributes ON relations.oid = attributes.attrelid
WHERE
    relations.relname IN ('{{ names | join("', '") }}')
    AND attributes.attnum > 0
    AND NOT attributes.attisdropped
ORDER BY attributes.attnum;
