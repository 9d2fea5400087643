-- The baseline of a first load: files in S3 become the star schema, by DuckDB and its extension for PostgreSQL.
-- PostgreSQL has the tables of the project, without keys and indexes, which follow: see duckdb_load.py.

CREATE TABLE events AS
SELECT
    *,
    make_timestamp(ts_millis * 1000) AS ts
FROM read_json(
    's3://{bucket}/log_data/*/*/*.json',
    format = 'newline_delimited',
    columns = {{
        artist: 'VARCHAR', auth: 'VARCHAR', "firstName": 'VARCHAR', gender: 'VARCHAR', "itemInSession": 'INTEGER',
        "lastName": 'VARCHAR', length: 'DOUBLE', level: 'VARCHAR', location: 'VARCHAR', method: 'VARCHAR', page: 'VARCHAR',
        registration: 'DOUBLE', "sessionId": 'BIGINT', song: 'VARCHAR', status: 'INTEGER', ts: 'BIGINT',
        "userAgent": 'VARCHAR', "userId": 'VARCHAR'
    }}
) AS files (
    artist, auth, firstname, gender, iteminsession, lastname, length, level, location, method, page, registration,
    sessionid, song, status, ts_millis, useragent, user_text
);

CREATE TABLE catalogue AS
SELECT *
FROM read_json(
    's3://{bucket}/song_data/**/*.json',
    columns = {{
        num_songs: 'INTEGER', artist_id: 'VARCHAR', artist_latitude: 'DOUBLE', artist_longitude: 'DOUBLE',
        artist_location: 'VARCHAR', artist_name: 'VARCHAR', song_id: 'VARCHAR', title: 'VARCHAR', duration: 'DOUBLE',
        year: 'INTEGER'
    }}
);

CREATE TABLE plays AS
SELECT
    md5(e.sessionid || '-' || e.iteminsession) AS songplay_id,
    e.ts AS start_time,
    TRY_CAST(e.user_text AS BIGINT) AS user_id,
    e.level,
    s.song_id,
    s.artist_id,
    e.sessionid AS session_id,
    e.location,
    e.useragent AS user_agent
FROM (
    SELECT * FROM events WHERE page = 'NextSong'
    QUALIFY ROW_NUMBER() OVER (PARTITION BY sessionid, iteminsession ORDER BY ts DESC) = 1
) AS e
LEFT JOIN catalogue AS s
    ON rtrim(e.song) = rtrim(s.title) AND rtrim(e.artist) = rtrim(s.artist_name) AND e.length = s.duration;

INSERT INTO warehouse.staging_events
SELECT
    artist, auth, firstname, gender, iteminsession, lastname, length, level, location, method, page, registration, sessionid,
    song, status, ts, useragent, TRY_CAST(user_text AS BIGINT), ts
FROM events;

INSERT INTO warehouse.staging_songs
SELECT
    num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, song_id, title, duration, year, 1
FROM catalogue;

INSERT INTO warehouse.songs
SELECT song_id, title, artist_id, year, duration, 1, ''
FROM catalogue
QUALIFY ROW_NUMBER() OVER (PARTITION BY song_id ORDER BY title) = 1;

INSERT INTO warehouse.artists
SELECT artist_id, artist_name, artist_location, artist_latitude, artist_longitude, 1, ''
FROM catalogue
QUALIFY ROW_NUMBER() OVER (PARTITION BY artist_id ORDER BY year DESC, song_id DESC) = 1;

INSERT INTO warehouse.songplays
SELECT *, start_time, '', NULL FROM plays;

INSERT INTO warehouse.users
SELECT
    TRY_CAST(user_text AS BIGINT) AS user_id, arg_max(firstname, ts), arg_max(lastname, ts), arg_max(gender, ts),
    arg_max(level, ts), max(ts), ''
FROM events
WHERE TRY_CAST(user_text AS BIGINT) IS NOT NULL
GROUP BY user_id;

INSERT INTO warehouse.time
SELECT DISTINCT
    start_time, hour(start_time), day(start_time), week(start_time), month(start_time), year(start_time),
    isodow(start_time), start_time, ''
FROM plays;
