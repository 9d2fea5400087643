-- Redshift's system tables, views and functions that PostgreSQL does not have.

-- Load errors, on top of the log of the local COPY.
-- https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_ERROR_DETAIL.html
CREATE TABLE IF NOT EXISTS public.endpoint_load_errors (LIKE public.stl_load_errors);
CREATE OR REPLACE VIEW public.sys_load_error_detail AS
SELECT
    userid AS user_id, query::bigint AS query_id, 0::bigint AS transaction_id, session AS session_id,
    current_database()::char(128) AS database_name, tbl AS table_id, starttime AS start_time,
    filename AS file_name, line_number, colname AS column_name, type AS column_type, col_length AS column_length,
    position, err_code AS error_code, err_reason::char(512) AS error_message
FROM (SELECT * FROM public.stl_load_errors UNION SELECT * FROM public.endpoint_load_errors) AS log;

-- https://docs.aws.amazon.com/redshift/latest/dg/PG_LAST_COPY_ID.html
CREATE OR REPLACE FUNCTION public.pg_last_copy_id() RETURNS integer LANGUAGE sql
    RETURN COALESCE(NULLIF(current_setting('endpoint.copy_id', true), ''), '-1')::integer;
CREATE OR REPLACE FUNCTION public.pg_last_copy_count() RETURNS bigint LANGUAGE sql
    RETURN COALESCE(NULLIF(current_setting('endpoint.copy_count', true), ''), '0')::bigint;

-- The keys and encodings of tables, by oid and column number: they survive a rename.
CREATE SCHEMA IF NOT EXISTS endpoint;
CREATE TABLE IF NOT EXISTS endpoint.table_styles (relation oid PRIMARY KEY, style smallint NOT NULL);
CREATE TABLE IF NOT EXISTS endpoint.column_keys (
    relation oid,
    attnum smallint,
    is_distkey boolean NOT NULL DEFAULT FALSE,
    sort_position integer NOT NULL DEFAULT 0,
    encoding text NOT NULL DEFAULT '',
    PRIMARY KEY (relation, attnum)
);

-- The catalogue with Redshift's columns reldiststyle, attisdistkey, attsortkeyord and adsrc, as AWS's own admin view
-- reads them. The distribution style of a table without a declared one is AUTO.
-- https://github.com/awslabs/amazon-redshift-utils/blob/master/src/AdminViews/v_generate_tbl_ddl.sql
-- https://docs.aws.amazon.com/redshift/latest/dg/viewing-distribution-styles.html
CREATE OR REPLACE VIEW endpoint.pg_class AS
SELECT
    relations.oid, relname, relnamespace, reltype, relowner, relam, reltuples, relkind, relnatts, relpersistence, relacl,
    CASE WHEN relkind = 'r' THEN COALESCE(style, 9) ELSE 0 END::smallint AS reldiststyle
FROM pg_catalog.pg_class AS relations
LEFT JOIN endpoint.table_styles ON relations.oid = relation;

CREATE OR REPLACE VIEW endpoint.pg_attribute AS
SELECT
    attrelid, attname, atttypid, attlen, attributes.attnum, attndims, atttypmod, attnotnull, atthasdef, attisdropped,
    COALESCE(is_distkey, FALSE) AS attisdistkey,
    COALESCE(sort_position, 0) AS attsortkeyord
FROM pg_catalog.pg_attribute AS attributes
LEFT JOIN endpoint.column_keys AS keys ON attrelid = relation AND attributes.attnum = keys.attnum;

CREATE OR REPLACE VIEW endpoint.pg_attrdef AS
SELECT oid, adrelid, adnum, pg_get_expr(adbin, adrelid) AS adsrc
FROM pg_catalog.pg_attrdef;

-- Explicit grants, so not the rights of the owner. A role without login is a group if its comment says so.
-- https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_RELATION_PRIVILEGES.html
CREATE OR REPLACE VIEW public.svv_relation_privileges AS
SELECT
    nspname::text AS namespace_name,
    relname::text AS relation_name,
    privilege_type,
    grantee::integer AS identity_id,
    COALESCE(rolname, 'public')::text AS identity_name,
    CASE
        WHEN rolname IS NULL THEN 'public'
        WHEN rolcanlogin THEN 'user'
        WHEN shobj_description(grantee, 'pg_authid') = 'group' THEN 'group'
        ELSE 'role'
    END AS identity_type,
    is_grantable AND COALESCE(rolcanlogin, FALSE) AS admin_option
FROM pg_catalog.pg_class AS relations
INNER JOIN pg_catalog.pg_namespace AS namespaces ON relnamespace = namespaces.oid
CROSS JOIN LATERAL aclexplode(relacl)
LEFT JOIN pg_catalog.pg_roles AS roles ON grantee = roles.oid
WHERE
    relkind IN ('r', 'v')
    AND grantee <> relowner
    AND privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'REFERENCES');

-- https://docs.aws.amazon.com/redshift/latest/dg/r_STV_DB_ISOLATION_LEVEL.html
CREATE OR REPLACE VIEW public.stv_db_isolation_level AS
SELECT
    datname::char(128) AS db_name,
    COALESCE(shobj_description(oid, 'pg_database'), 'Snapshot Isolation')::char(20) AS isolation_level
FROM pg_catalog.pg_database;
