-- Record the recomputed groups, for the tables that are aggregated from {{ source }}.
INSERT INTO {{ changes }} ({{ columns | join(", ") }}, change_id)
SELECT {{ columns | join(", ") }}, ({% include "_next_change.sql" %})
FROM {{ groups }};
