SELECT {{ columns | join(", ") }}
FROM {{ table }}
WHERE {{ scope }} AND ({{ condition }})
