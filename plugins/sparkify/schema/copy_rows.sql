-- Copy the rows of {{ table }}.
INSERT INTO {{ beside }} ({{ columns | join(", ") }})
SELECT
    {% for column, type in columns.items() -%}
    {{ "CAST(" ~ column ~ " AS " ~ type ~ ") AS " if type }}{{ column }}{{ "," if not loop.last }}
    {% endfor %}
FROM {{ table }};
