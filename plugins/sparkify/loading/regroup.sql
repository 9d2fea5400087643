{% import "_macros.sql" as macros %}
{% macro formed() %}{% for name, expression in groups.items() %}{{ expression }} AS {{ name }}{{ ", " if not loop.last }}{% endfor %}{% endmacro %}
-- Find the groups of {{ table }} whose source rows have changed.
CREATE TEMP TABLE changed_groups AS
{% if changed %}
SELECT DISTINCT {{ formed() }}
FROM {{ facts }} AS {{ alias }}
WHERE {{ changed }}
{% if changes %}
UNION
{% endif %}
{% endif %}
{% if changes %}
SELECT {{ "DISTINCT " if not changed }}{{ formed() }}
FROM {{ changes }} AS {{ alias }}
WHERE {{ alias }}.change_id > {{ since }}
{% endif %}
;

-- Delete their rows.
DELETE FROM {{ table }} USING changed_groups WHERE {{ macros.match(groups, table, "changed_groups") }};

-- Recompute the groups.
INSERT INTO {{ table }} ({{ columns | join(", ") }})
{% include "aggregate.sql" %}
;
