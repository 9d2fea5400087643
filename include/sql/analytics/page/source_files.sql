-- Source files: the state of each day of the last 60, and of each month before
-- A day is as the ledger of staged files, the last reconciliation with the bucket, and the failed tasks have it; the
-- worst state counts. Days without files have no row.
{# Minutes between the start of a difference's period and a time of it; a period is a day at most. #}
{% macro minutes(time) -%}
    (CAST({{ time }} AS DATE) - CAST(d.period_start AS DATE)) * 1440
    + (CAST(EXTRACT(HOUR FROM {{ time }}) AS INTEGER) - CAST(EXTRACT(HOUR FROM d.period_start) AS INTEGER)) * 60
    + CAST(EXTRACT(MINUTE FROM {{ time }}) AS INTEGER)
{%- endmacro %}
WITH sources AS (
    -- The files of a source are hourly or daily.
    SELECT
        s.table_name,
        MIN(CASE WHEN s.period_start = DATE_TRUNC('day', s.period_start) THEN 1440 ELSE 60 END) AS period_minutes
    FROM operations.staged_periods AS s
    GROUP BY s.table_name
),

-- A difference is resolved if its version is staged by now. Of a period that had not ended, the files still changed:
-- it is resolved if any version of each hour that had ended is staged.
parts AS (
    SELECT
        d.table_name,
        d.period_start,
        d.state,
        d.found_at,
        d.attempts,
        d.run_id,
        CASE
            WHEN d.version <> '' THEN s.period_minutes
            ELSE {{ minutes("d.found_at") }} - CAST(EXTRACT(MINUTE FROM d.found_at) AS INTEGER)
        END AS due,
        CASE WHEN p.part_start IS NULL THEN 0 ELSE {{ minutes("p.part_start") }} END AS part_start,
        CASE
            WHEN p.table_name IS NULL THEN 0
            WHEN p.part_end IS NULL THEN s.period_minutes
            ELSE {{ minutes("p.part_end") }}
        END AS part_end
    FROM operations.source_differences AS d
    LEFT JOIN sources AS s ON d.table_name = s.table_name
    LEFT JOIN operations.staged_periods AS p
        ON
            d.table_name = p.table_name
            AND d.period_start = p.period_start
            AND p.loading_run IS NULL
            AND (d.version = p.version OR (d.version = '' AND d.state = 'missing'))
    WHERE {{ scope("d.period_start") }}
),

differences AS (
    SELECT
        p.table_name,
        CAST(p.period_start AS DATE) AS day,
        CASE p.state WHEN 'changed' THEN 1 WHEN 'missing' THEN 2 ELSE 3 END AS severity,
        p.found_at,
        p.attempts,
        p.run_id
    FROM parts AS p
    GROUP BY p.table_name, p.period_start, p.state, p.found_at, p.attempts, p.run_id, p.due
    HAVING
        p.due IS NULL
        OR p.due > SUM(
            CASE
                WHEN p.part_start >= p.due THEN 0
                WHEN p.part_end > p.due THEN p.due - p.part_start
                ELSE p.part_end - p.part_start
            END
        )
),

days AS (
    SELECT
        k.table_name,
        k.day,
        MAX(k.severity) AS severity,
        MIN(k.found_at) AS found_at,
        MAX(k.staged_at) AS staged_at,
        MAX(k.attempts) AS attempts,
        MAX(k.run_id) AS run_id
    FROM (
        SELECT
            s.table_name,
            CAST(s.period_start AS DATE) AS day,
            0 AS severity,
            CAST(NULL AS TIMESTAMP) AS found_at,
            s.staged_at,
            0 AS attempts,
            CAST(NULL AS VARCHAR(250)) AS run_id
        FROM operations.staged_periods AS s
        WHERE {{ scope("s.period_start") }} AND (s.objects IS NULL OR s.objects > 0)
        UNION ALL
        SELECT
            d.table_name,
            d.day,
            d.severity,
            d.found_at,
            CAST(NULL AS TIMESTAMP) AS staged_at,
            d.attempts,
            d.run_id
        FROM differences AS d
    ) AS k
    GROUP BY k.table_name, k.day
),

-- A run whose checks have been evaluated since has recovered. The last task only announces what is loaded.
failures AS (
    SELECT
        CAST(f.interval_start AS DATE) AS first_day,
        CAST(f.interval_end - INTERVAL '1 second' AS DATE) AS last_day,
        MAX(f.failed_at) AS failed_at
    FROM operations.task_failures AS f
    LEFT JOIN operations.data_quality_results AS q
        ON f.dag_id = q.dag_id AND f.run_id = q.run_id AND f.failed_at < q.checked_at
    WHERE
        f.dag_id = 'sparkify_warehouse' AND f.task_id <> 'publish_days'
        AND f.interval_start IS NOT NULL AND q.run_id IS NULL
    GROUP BY first_day, last_day
),

states AS (
    SELECT
        d.table_name,
        d.day,
        CASE WHEN MAX(f.failed_at) IS NULL THEN d.severity ELSE 4 END AS severity,
        COALESCE(MAX(f.failed_at), d.found_at) AS since,
        d.attempts,
        d.run_id,
        MAX(d.day) OVER () AS latest
    FROM days AS d
    LEFT JOIN failures AS f
        ON d.day >= f.first_day AND d.day <= f.last_day
            AND (d.staged_at IS NULL OR d.staged_at < f.failed_at)
    GROUP BY d.table_name, d.day, d.severity, d.found_at, d.attempts, d.run_id
)

SELECT
    b.table_name,
    b.start_day,
    b.is_month,
    CASE b.severity
        WHEN 0 THEN 'up to date' WHEN 1 THEN 'changed' WHEN 2 THEN 'missing' WHEN 3 THEN 'vanished' ELSE 'failed'
    END AS state,
    COUNT(*) AS days,
    MIN(b.day) AS first_day,
    MAX(b.day) AS last_day,
    MIN(b.since) AS since,
    MAX(b.attempts) AS attempts,
    MAX(b.run_id) AS run_id
FROM (
    SELECT
        s.table_name,
        s.day,
        s.severity,
        s.since,
        s.attempts,
        s.run_id,
        s.day <= s.latest - INTERVAL '60 days' AS is_month,
        CASE
            WHEN s.day <= s.latest - INTERVAL '60 days'
                THEN CAST(DATE_TRUNC('month', CAST(s.day AS TIMESTAMP)) AS DATE)
            ELSE s.day
        END AS start_day
    FROM states AS s
) AS b
GROUP BY b.table_name, b.start_day, b.is_month, b.severity
ORDER BY b.table_name ASC, b.is_month DESC, b.start_day ASC, b.severity DESC;
