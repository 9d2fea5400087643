SELECT {{ columns | join(", ") }}
FROM (
{{ select | indent(4, first=true) }}
) AS recomputed
