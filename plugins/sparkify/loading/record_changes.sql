{% import "_macros.sql" as macros %}
-- Record former values, and rows outside of the interval, for the tables that are aggregated from {{ source }}.
INSERT INTO {{ changes }} ({{ columns | join(", ") }}, change_id)
SELECT {{ columns | join(", ") }}, ({% include "_next_change.sql" %})
FROM (
    {% if lost %}
    SELECT {% for column in columns %}lost.{{ column }}{{ ", " if not loop.last }}{% endfor %}

    FROM lost
    UNION
    {% endif %}
    SELECT {% for column in columns %}{{ source }}.{{ column }}{{ ", " if not loop.last }}{% endfor %}

    FROM {{ source }}
    INNER JOIN newest ON {{ macros.match(keys, source, "newest") }}
    WHERE {{ source }}.row_version <> newest.row_version
    UNION
    SELECT {% for column in columns %}newest.{{ column }}{{ ", " if not loop.last }}{% endfor %}

    FROM newest
    WHERE NOT ({{ owned }})
) AS images;
