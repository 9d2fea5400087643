{% import "_macros.sql" as macros %}
{% import "_spans.sql" as spans %}
{% set steps %}
SELECT {% for column in columns %}candidates.{{ column }}, {% endfor %}candidates.interval_time AS last_interval, candidates.window_start, 0 AS is_kept
FROM candidates
LEFT JOIN remaining ON {{ macros.match(keys, "remaining", "candidates") }}
WHERE remaining.valid_from IS NULL
UNION ALL
SELECT {% for column in columns %}remaining.{{ column }}, {% endfor %}remaining.last_interval_time, remaining.window_start, 1 AS is_kept
FROM remaining
UNION ALL
SELECT {% for column in columns %}known.{{ column }}, {% endfor %}known.last_interval_time, bounds.window_start, 0 AS is_kept
FROM known
INNER JOIN (
    SELECT
        {% for name in entity %}
        windows.{{ name }},
        {% endfor %}
        windows.window_start,
        MAX(known.valid_from) AS valid_from
    FROM windows
    INNER JOIN known
        ON
            {{ macros.match(entity, "known", "windows") }}
            AND known.valid_from < windows.window_start
    GROUP BY {% for name in entity %}windows.{{ name }}, {% endfor %}windows.window_start
) AS bounds ON {{ macros.match(keys, "known", "bounds") }}
{% endset %}
-- Select the spans of the entities that have changed.
CREATE TEMP TABLE known AS
SELECT
    {% for column in columns %}
    {{ table }}.{{ column }},
    {% endfor %}
    {{ table }}.last_interval_time,
    CASE WHEN changed_moments.valid_from IS NULL THEN 0 ELSE 1 END AS is_changed
FROM (SELECT DISTINCT {{ entity | join(", ") }} FROM changed_moments) AS entities
INNER JOIN {{ table }} ON {{ macros.match(entity, table, "entities") }}
LEFT JOIN changed_moments ON {{ macros.match(keys, "changed_moments", table) }};

-- Select what to read: from each changed moment up to the next span that has not changed.
CREATE TEMP TABLE windows AS
SELECT {{ entity | join(", ") }}, MIN(valid_from) AS window_start, window_end
FROM (
    SELECT
        {% for key in keys %}
        changed_moments.{{ key }},
        {% endfor %}
        MIN(known.valid_from) AS window_end
    FROM changed_moments
    LEFT JOIN known
        ON
            {{ macros.match(entity, "known", "changed_moments") }}
            AND known.valid_from > changed_moments.valid_from
            AND known.is_changed = 0
    GROUP BY {% for key in keys %}changed_moments.{{ key }}{{ ", " if not loop.last }}{% endfor %}

) AS bounds
GROUP BY {{ entity | join(", ") }}, window_end;

-- Read it.
CREATE TEMP TABLE candidates AS
SELECT {% for column in columns %}source_rows.{{ column }}, {% endfor %}windows.window_start, windows.window_end
FROM windows
INNER JOIN (
{{ select | indent(4, first=true) }}
) AS source_rows
    ON
        {{ macros.match(entity, "source_rows", "windows") }}
        AND source_rows.valid_from >= windows.window_start
        AND (source_rows.valid_from <= windows.window_end OR windows.window_end IS NULL);

-- Find the spans behind, whose source another run is changing: they remain until that run loads them.
CREATE TEMP TABLE remaining AS
SELECT
    {% for column in columns if column != "interval_time" %}
    known.{{ column }},
    {% endfor %}
    CASE WHEN latest.first_interval_time < known.interval_time THEN latest.first_interval_time ELSE known.interval_time END AS interval_time,
    CASE WHEN latest.last_interval_time > known.last_interval_time THEN latest.last_interval_time ELSE known.last_interval_time END AS last_interval_time,
    windows.window_start
FROM windows
INNER JOIN known ON {{ macros.match(entity, "known", "windows") }} AND known.valid_from = windows.window_end
LEFT JOIN (
    SELECT
        {{ keys | join(", ") }},
        MAX(row_version) AS row_version,
        MIN(interval_time) AS first_interval_time,
        MAX(interval_time) AS last_interval_time
    FROM candidates
    GROUP BY {{ keys | join(", ") }}
) AS latest ON {{ macros.match(keys, "latest", "known") }}
WHERE latest.row_version IS NULL OR latest.row_version <> known.row_version;

-- Select the spans that begin there.
CREATE TEMP TABLE spans AS
SELECT {{ columns | join(", ") }}, last_interval_time
FROM (
{{ spans.beginning(steps, entity + ["window_start"], values + ["window_start"], tracked, "is_kept", "last_interval") | indent(4, first=true) }}
) AS beginnings
WHERE valid_from >= window_start;
