-- Count {{ table }} in the same hours of this and of earlier weeks.
{% for week in weeks %}
SELECT {{ loop.index0 }} AS weeks_ago, COUNT(*) AS row_count
FROM {{ table }}
WHERE {{ week }}
{{ "UNION ALL" if not loop.last }}
{% endfor %}
