-- The baseline: every run truncates all tables and inserts all staged rows. The data suits it: no duplicates, no late or
-- changed rows.

TRUNCATE songplays, users, songs, artists, time;

INSERT INTO songplays
SELECT
    MD5(CAST(e.sessionid AS VARCHAR(20)) || '-' || CAST(e.iteminsession AS VARCHAR(11))),
    e.ts, e.userid, e.level, s.song_id, s.artist_id, e.sessionid, e.location, e.useragent,
    e.interval_time, '', NULL
FROM staging_events AS e
LEFT JOIN staging_songs AS s ON RTRIM(e.song) = RTRIM(s.title) AND RTRIM(e.artist) = RTRIM(s.artist_name) AND e.length = s.duration
WHERE e.page = 'NextSong';

INSERT INTO users
SELECT e.userid, MAX(e.firstname), MAX(e.lastname), MAX(e.gender), MAX(e.level), MAX(e.interval_time), ''
FROM staging_events AS e
WHERE e.userid IS NOT NULL
GROUP BY e.userid;

INSERT INTO songs
SELECT DISTINCT s.song_id, s.title, s.artist_id, s.year, s.duration, s.batch_id, ''
FROM staging_songs AS s;

INSERT INTO artists
SELECT
    s.artist_id, MAX(s.artist_name), MAX(s.artist_location), MAX(s.artist_latitude), MAX(s.artist_longitude),
    MAX(s.batch_id), ''
FROM staging_songs AS s
GROUP BY s.artist_id;

INSERT INTO time
SELECT DISTINCT
    p.start_time,
    CAST(EXTRACT(HOUR FROM p.start_time) AS INTEGER),
    CAST(EXTRACT(DAY FROM p.start_time) AS INTEGER),
    CAST(EXTRACT(WEEK FROM p.start_time) AS INTEGER),
    CAST(EXTRACT(MONTH FROM p.start_time) AS INTEGER),
    CAST(EXTRACT(YEAR FROM p.start_time) AS INTEGER),
    MOD(CAST(EXTRACT(DOW FROM p.start_time) AS INTEGER) + 6, 7) + 1,
    p.start_time,
    ''
FROM songplays AS p;
