-- Find tables and indexes in the catalogue.
SELECT
    namespaces.nspname,
    relations.relname,
    namespaces.nspname = CURRENT_SCHEMA() AS is_current,
    CAST(relations.reltuples AS BIGINT) AS row_count,
    OBJ_DESCRIPTION(relations.oid, 'pg_class') AS relation_comment,
    PG_GET_CONSTRAINTDEF(primary_keys.oid) AS primary_key,
    attributes.attname,
    FORMAT_TYPE(attributes.atttypid, attributes.atttypmod) AS column_type,
    attributes.attnotnull,
    COL_DESCRIPTION(relations.oid, attributes.attnum) AS column_comment,
    {# The columns of Redshift's own: https://github.com/awslabs/amazon-redshift-utils, v_generate_tbl_ddl. -#}
    {% if engine == "redshift" -%}
    defaults.adsrc AS default_value,
    relations.reldiststyle,
    attributes.attisdistkey,
    attributes.attsortkeyord
    {%- else -%}
    PG_GET_EXPR(defaults.adbin, defaults.adrelid) AS default_value,
    NULL AS reldiststyle,
    NULL AS attisdistkey,
    NULL AS attsortkeyord
    {%- endif %}

FROM pg_class AS relations
INNER JOIN pg_namespace AS namespaces ON relations.relnamespace = namespaces.oid
INNER JOIN pg_attribute AS attributes ON relations.oid = attributes.attrelid
LEFT JOIN pg_attrdef AS defaults ON attributes.attrelid = defaults.adrelid AND attributes.attnum = defaults.adnum
LEFT JOIN pg_constraint AS primary_keys ON relations.oid = primary_keys.conrelid AND primary_keys.contype = 'p'
WHERE
    relations.relname IN ('{{ names | join("', '") }}')
    AND attributes.attnum > 0
    AND NOT attributes.attisdropped
ORDER BY attributes.attnum;
