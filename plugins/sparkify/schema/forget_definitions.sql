-- Mark the rows of {{ tables | join(", ") }} as outdated.
UPDATE operations.table_definitions SET is_current = FALSE
WHERE kind = 'rows' AND table_name IN ('{{ tables | join("', '") }}');
