-- Which users were active on a day: the mergeable form of all distinct counts of users.
--
-- An active user has an event with their user id. Count distinct users over any days, weeks or months from this table.
-- DISTKEY user_id: counts distinct users without redistribution.
-- SORTKEY day: most queries filter by time.
CREATE TABLE IF NOT EXISTS daily_users (
    -- Day, UTC.
    day DATE NOT NULL,
    -- User (users). Personal.
    user_id BIGINT NOT NULL,
    -- Plays.
    plays BIGINT NOT NULL,
    -- Plays while the subscription was paid.
    paid_plays BIGINT NOT NULL,
    -- Length of the songs that were played, where it is known. Unit: seconds.
    listening_seconds DECIMAL(18, 3) NOT NULL,
    PRIMARY KEY (day, user_id)
)
DISTSTYLE KEY
DISTKEY (user_id)
SORTKEY (day);
