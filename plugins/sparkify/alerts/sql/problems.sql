-- List what did not pass.
SELECT
    latest.task_id,
    latest.table_name,
    latest.check_name,
    latest.outcome,
    latest.interval_start,
    latest.interval_end,
    latest.observed
FROM (
    {% include "_latest.sql" %}

) AS latest
WHERE latest.outcome <> 'passed'
ORDER BY latest.interval_start, latest.task_id, latest.table_name, latest.check_name;
