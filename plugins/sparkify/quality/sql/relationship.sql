SELECT {% for column in columns %}child.{{ column }}{{ ", " if not loop.last }}{% endfor %}

FROM {{ table }} AS child
LEFT JOIN {{ parent }} AS parent ON child.{{ column }} = parent.{{ parent_column }}
WHERE {{ scope }} AND child.{{ column }} IS NOT NULL AND parent.{{ parent_column }} IS NULL
