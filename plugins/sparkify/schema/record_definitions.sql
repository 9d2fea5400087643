-- Mark the former definitions.
UPDATE operations.table_definitions SET is_current = FALSE
WHERE kind = '{{ kind }}' AND table_name IN ('{{ fingerprints | join("', '") }}');

-- Delete those that are current again.
DELETE FROM operations.table_definitions
WHERE
    kind = '{{ kind }}'
    AND (
        {% for table, fingerprint in fingerprints.items() -%}
        (table_name = '{{ table }}' AND fingerprint = '{{ fingerprint }}'){{ " OR" if not loop.last }}
        {% endfor %}
    );

-- Record the current definitions.
INSERT INTO operations.table_definitions (table_name, kind, fingerprint, version, is_current, recorded_at)
VALUES {% for table, fingerprint in fingerprints.items() %}('{{ table }}', '{{ kind }}', '{{ fingerprint }}', {{ versions[table] }}, TRUE, {{ recorded_at }}){{ ", " if not loop.last }}{% endfor %};
