-- The baseline: the usual full rebuild of a history, with window functions over all staged events.

TRUNCATE rebuilt_history;

INSERT INTO rebuilt_history
SELECT
    user_id, valid_from,
    LEAD(valid_from) OVER (PARTITION BY user_id ORDER BY valid_from),
    LEAD(valid_from) OVER (PARTITION BY user_id ORDER BY valid_from) IS NULL,
    first_name, last_name, gender, level
FROM (
    SELECT
        latest.*,
        LAG(valid_from) OVER (PARTITION BY user_id ORDER BY valid_from) AS previous_from,
        LAG(first_name) OVER (PARTITION BY user_id ORDER BY valid_from) AS previous_first_name,
        LAG(last_name) OVER (PARTITION BY user_id ORDER BY valid_from) AS previous_last_name,
        LAG(gender) OVER (PARTITION BY user_id ORDER BY valid_from) AS previous_gender,
        LAG(level) OVER (PARTITION BY user_id ORDER BY valid_from) AS previous_level
    FROM (
        SELECT
            e.userid AS user_id, e.ts AS valid_from, RTRIM(e.firstname) AS first_name, RTRIM(e.lastname) AS last_name,
            e.gender, e.level,
            ROW_NUMBER() OVER (PARTITION BY e.userid, e.ts ORDER BY e.iteminsession DESC) AS event_rank
        FROM staging_events AS e
        WHERE e.userid IS NOT NULL
    ) AS latest
    WHERE event_rank = 1
) AS steps
WHERE
    previous_from IS NULL
    OR first_name IS DISTINCT FROM previous_first_name
    OR last_name IS DISTINCT FROM previous_last_name
    OR gender IS DISTINCT FROM previous_gender
    OR level IS DISTINCT FROM previous_level;
