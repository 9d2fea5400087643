-- The figures of a day, by subscription.
-- Question: how many people listened, to how much, and how many joined, upgraded, downgraded or left?
-- A user signs up under the subscription of their first event of that day only.
SELECT
    d.day,
    d.level,
    COUNT(DISTINCT CASE WHEN d.page = 'NextSong' THEN d.user_id END) AS listeners,
    COUNT(CASE WHEN d.page = 'NextSong' THEN 1 END) AS plays,
    COUNT(DISTINCT d.session_id) AS sessions,
    COALESCE(SUM(d.length), 0) AS listening_seconds,
    COUNT(CASE WHEN d.is_registration_day AND d.user_id IS NOT NULL AND d.user_rank = 1 THEN 1 END) AS sign_ups,
    COUNT(CASE WHEN d.page = 'Submit Upgrade' THEN 1 END) AS upgrades,
    COUNT(CASE WHEN d.page = 'Submit Downgrade' THEN 1 END) AS downgrades,
    COUNT(CASE WHEN d.page = 'Cancellation Confirmation' THEN 1 END) AS cancellations
FROM (
    SELECT
        e.day,
        e.level,
        e.page,
        e.user_id,
        e.session_id,
        e.length,
        e.is_registration_day,
        ROW_NUMBER() OVER (
            PARTITION BY e.day, e.user_id, e.is_registration_day
            ORDER BY e.event_time ASC, e.session_id ASC, e.item_in_session ASC
        ) AS user_rank
    FROM events AS e
    WHERE {{ scope("e.interval_time", day="e.day") }}
) AS d
GROUP BY d.day, d.level
