-- Data quality: the latest result of each check, for the 30 most recently evaluated intervals of each DAG
-- A check that did not pass in its latest evaluation has a sample of its failing rows.
SELECT
    r.dag_id,
    r.run_id,
    r.interval_start,
    r.interval_end,
    r.checked_at,
    r.table_name,
    r.check_name,
    r.severity,
    r.outcome,
    r.observed,
    r.expected,
    CASE
        WHEN
            r.outcome <> 'passed'
            AND ROW_NUMBER() OVER (
                PARTITION BY r.dag_id, r.table_name, r.check_name
                ORDER BY r.checked_at DESC, r.interval_end DESC, r.interval_start DESC
            ) = 1
            THEN r.sample
    END AS sample
FROM (
    SELECT
        q.dag_id,
        q.run_id,
        q.interval_start,
        q.interval_end,
        q.checked_at,
        q.table_name,
        q.check_name,
        q.severity,
        q.outcome,
        q.observed,
        q.expected,
        q.sample,
        ROW_NUMBER() OVER (
            PARTITION BY q.dag_id, q.table_name, q.check_name, q.interval_start, q.interval_end
            ORDER BY q.checked_at DESC
        ) AS age
    FROM operations.data_quality_results AS q
    INNER JOIN (
        SELECT
            i.dag_id,
            i.interval_start,
            i.interval_end,
            ROW_NUMBER() OVER (PARTITION BY i.dag_id ORDER BY i.checked_at DESC, i.interval_end DESC) AS age
        FROM (
            SELECT
                e.dag_id,
                e.interval_start,
                e.interval_end,
                MAX(e.checked_at) AS checked_at
            FROM operations.data_quality_results AS e
            GROUP BY e.dag_id, e.interval_start, e.interval_end
        ) AS i
    ) AS n
        ON
            q.dag_id = n.dag_id
            AND q.interval_start = n.interval_start
            AND q.interval_end = n.interval_end
    WHERE n.age <= 30
) AS r
WHERE r.age = 1
ORDER BY r.dag_id DESC, r.interval_end ASC, r.interval_start ASC, r.table_name ASC, r.check_name ASC;
