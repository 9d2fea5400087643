-- Empty {{ table }} (not TRUNCATE, which would commit on Redshift).
DELETE FROM {{ table }};

{{ insert }}
