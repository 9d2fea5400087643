-- Find the privileges on {{ table }}.
{% if engine == "redshift" -%}
SELECT
    privilege_type,
    identity_name,
    identity_type,
    admin_option
FROM svv_relation_privileges
WHERE namespace_name = '{{ schema }}' AND relation_name = '{{ table.rpartition(".")[2] }}'
{%- else -%}
SELECT
    granted.privilege_type,
    COALESCE(roles.rolname, 'public') AS identity_name,
    CASE WHEN granted.grantee = 0 THEN 'public' ELSE 'role' END AS identity_type,
    granted.is_grantable
FROM pg_class AS relations
CROSS JOIN LATERAL ACLEXPLODE(relations.relacl) AS granted
LEFT JOIN pg_roles AS roles ON granted.grantee = roles.oid
WHERE relations.oid = CAST('{{ table }}' AS REGCLASS) AND granted.grantee <> relations.relowner
{%- endif %};
