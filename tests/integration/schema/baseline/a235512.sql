SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE SCHEMA operations;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE operations.backfill_summaries (
    dag_id character varying(250) NOT NULL,
    summarized_until timestamp without time zone NOT NULL
);
CREATE TABLE operations.data_quality_results (
    dag_id character varying(250) NOT NULL,
    run_id character varying(250) NOT NULL,
    run_type character varying(50) NOT NULL,
    interval_start timestamp without time zone NOT NULL,
    interval_end timestamp without time zone NOT NULL,
    checked_at timestamp without time zone NOT NULL,
    table_name character varying(256) NOT NULL,
    check_name character varying(256) NOT NULL,
    kind character varying(32) NOT NULL,
    severity character varying(8) NOT NULL,
    scope character varying(8) NOT NULL,
    outcome character varying(8) NOT NULL,
    observed character varying(4096),
    expected character varying(4096),
    failing_rows bigint NOT NULL,
    total_rows bigint NOT NULL,
    sample character varying(65535),
    seconds double precision NOT NULL
);
CREATE TABLE operations.loaded_batches (
    table_name character varying(256) NOT NULL,
    batch_id bigint NOT NULL
);
CREATE TABLE operations.rejected_rows (
    table_name character varying(256) NOT NULL,
    period_start timestamp without time zone,
    batch_id bigint,
    run_id character varying(250) NOT NULL,
    rejected_at timestamp without time zone NOT NULL,
    file_name character varying(4096) NOT NULL,
    line_number bigint NOT NULL,
    column_name character varying(256),
    error_code integer NOT NULL,
    reason character varying(1024),
    raw_line character varying(4096),
    raw_value character varying(4096)
);
CREATE TABLE operations.staged_batches (
    table_name character varying(256) NOT NULL,
    batch_id bigint NOT NULL,
    is_live boolean NOT NULL,
    objects bigint NOT NULL,
    row_count bigint NOT NULL,
    staged_at timestamp without time zone NOT NULL
);
CREATE TABLE operations.staged_objects (
    table_name character varying(256) NOT NULL,
    object_key character varying(4096) NOT NULL,
    etag character varying(256) NOT NULL,
    size_bytes bigint NOT NULL,
    batch_id bigint NOT NULL
);
CREATE TABLE operations.staged_periods (
    table_name character varying(256) NOT NULL,
    period_start timestamp without time zone NOT NULL,
    version character varying(64) NOT NULL
);
CREATE TABLE operations.task_failures (
    dag_id character varying(250) NOT NULL,
    run_id character varying(250) NOT NULL,
    run_type character varying(50) NOT NULL,
    task_id character varying(250) NOT NULL,
    try_number integer NOT NULL,
    interval_start timestamp without time zone,
    interval_end timestamp without time zone,
    failed_at timestamp without time zone NOT NULL,
    error character varying(4096) NOT NULL
);
CREATE TABLE public.artists (
    artist_id character varying(32) NOT NULL,
    name character varying(1024),
    location character varying(1024),
    latitude double precision,
    longitude double precision,
    batch_id bigint NOT NULL,
    row_version character varying(128) NOT NULL
);
CREATE SEQUENCE public.copy_query_id
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
    CYCLE;
CREATE TABLE public.songplays (
    songplay_id character varying(32) NOT NULL,
    start_time timestamp without time zone NOT NULL,
    user_id bigint,
    level character varying(16),
    song_id character varying(32),
    artist_id character varying(32),
    session_id bigint NOT NULL,
    location character varying(1024),
    user_agent character varying(2048),
    interval_time timestamp without time zone NOT NULL,
    row_version character varying(64) NOT NULL,
    song_batch_id bigint
);
CREATE TABLE public.songs (
    song_id character varying(32) NOT NULL,
    title character varying(1024),
    artist_id character varying(32) NOT NULL,
    year integer,
    duration double precision,
    batch_id bigint NOT NULL,
    row_version character varying(64) NOT NULL
);
CREATE TABLE public.staging_events (
    artist character varying(1024),
    auth character varying(32),
    firstname character varying(256),
    gender character varying(16),
    iteminsession integer NOT NULL,
    lastname character varying(256),
    length double precision,
    level character varying(16),
    location character varying(1024),
    method character varying(16),
    page character varying(64),
    registration double precision,
    sessionid bigint NOT NULL,
    song character varying(1024),
    status integer,
    ts timestamp without time zone NOT NULL,
    useragent character varying(2048),
    userid bigint,
    interval_time timestamp without time zone DEFAULT '1970-01-01 00:00:00'::timestamp without time zone NOT NULL
);
CREATE TABLE public.staging_songs (
    num_songs integer,
    artist_id character varying(32) NOT NULL,
    artist_latitude double precision,
    artist_longitude double precision,
    artist_location character varying(1024),
    artist_name character varying(1024),
    song_id character varying(32) NOT NULL,
    title character varying(1024),
    duration double precision,
    year integer,
    batch_id bigint DEFAULT 0 NOT NULL
);
CREATE TABLE public.stl_load_errors (
    userid integer NOT NULL,
    slice integer NOT NULL,
    tbl integer NOT NULL,
    starttime timestamp without time zone NOT NULL,
    session integer NOT NULL,
    query integer NOT NULL,
    filename character(256) NOT NULL,
    line_number bigint NOT NULL,
    colname character(127) NOT NULL,
    type character(10) NOT NULL,
    col_length character(10) NOT NULL,
    "position" integer NOT NULL,
    raw_line character(1024) NOT NULL,
    raw_field_value character(1024) NOT NULL,
    err_code integer NOT NULL,
    err_reason character(100) NOT NULL,
    is_partial integer NOT NULL,
    start_offset bigint NOT NULL,
    copy_job_id bigint NOT NULL
);
CREATE TABLE public."time" (
    start_time timestamp without time zone NOT NULL,
    hour integer NOT NULL,
    day integer NOT NULL,
    week integer NOT NULL,
    month integer NOT NULL,
    year integer NOT NULL,
    weekday integer NOT NULL,
    interval_time timestamp without time zone NOT NULL,
    row_version character varying(32) NOT NULL
);
CREATE TABLE public.users (
    user_id bigint NOT NULL,
    first_name character varying(256),
    last_name character varying(256),
    gender character varying(16),
    level character varying(16),
    interval_time timestamp without time zone NOT NULL,
    row_version character varying(128) NOT NULL
);
INSERT INTO operations.data_quality_results VALUES
	('sparkify_warehouse', 'manual__2018-11-01T04:00', 'manual', '2018-11-01 04:00:00', '2018-11-01 05:00:00', '2026-11-22 00:10:56.247518', 'songplays', 'plays match the staged events', 'agreement', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.017),
	('sparkify_warehouse', 'manual__2018-11-01T04:00', 'manual', '2018-11-01 04:00:00', '2018-11-01 05:00:00', '2026-11-22 00:10:56.247518', 'songplays', 'no duplicate plays', 'unique', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.083),
	('sparkify_warehouse', 'manual__2018-11-01T04:00', 'manual', '2018-11-01 04:00:00', '2018-11-01 05:00:00', '2026-11-22 00:10:56.247518', 'songplays', 'every play has a user', 'not_null', 'warn', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.083),
	('sparkify_warehouse', 'manual__2018-11-01T04:00', 'manual', '2018-11-01 04:00:00', '2018-11-01 05:00:00', '2026-11-22 00:10:56.247518', 'songplays', 'every level is free or paid', 'accepted_values', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.083),
	('sparkify_warehouse', 'manual__2018-11-01T04:00', 'manual', '2018-11-01 04:00:00', '2018-11-01 05:00:00', '2026-11-22 00:10:56.247518', 'songplays', 'every player is in users', 'relationship', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.026),
	('sparkify_warehouse', 'manual__2018-11-01T04:00', 'manual', '2018-11-01 04:00:00', '2018-11-01 05:00:00', '2026-11-22 00:10:56.247518', 'songplays', 'every start time is in time', 'relationship', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.004),
	('sparkify_warehouse', 'manual__2018-11-01T04:00', 'manual', '2018-11-01 04:00:00', '2018-11-01 05:00:00', '2026-11-22 00:10:56.247518', 'songplays', 'every linked song is in songs', 'relationship', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.011),
	('sparkify_warehouse', 'manual__2018-11-01T04:00', 'manual', '2018-11-01 04:00:00', '2018-11-01 05:00:00', '2026-11-22 00:10:56.247518', 'songplays', 'every linked artist is in artists', 'relationship', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.005),
	('sparkify_warehouse', 'manual__2018-11-01T04:00', 'manual', '2018-11-01 04:00:00', '2018-11-01 05:00:00', '2026-11-22 00:10:56.247518', 'songplays', 'play volume is similar to earlier weeks', 'volume', 'warn', 'interval', 'passed', '1 rows', 'earlier weeks have too few rows to compare (fewer than 100)', 0, 1, '[]', 0.208),
	('sparkify_warehouse', 'manual__2018-11-01T04:00', 'manual', '2018-11-01 04:00:00', '2018-11-01 05:00:00', '2026-11-22 00:10:56.247518', 'staging_events', 'no event was rejected', 'rejected', 'warn', 'interval', 'warned', '1 of 3 rows', 'none', 1, 3, '[{"file_name": "s3://baseline/log_data/2018/11/2018-11-01-events.json", "line_number": 0, "column_name": "ts", "error_code": 1, "reason": "ts is 33658-09-27 01:46:40: the warehouse accepts [1970-01-01, 2200-01-01)"}]', 0.025),
	('sparkify_warehouse', 'manual__2018-11-01T04:00', 'manual', '2018-11-01 04:00:00', '2018-11-01 05:00:00', '2026-11-22 00:10:56.247518', 'staging_events', 'no code has trailing blanks', 'sql', 'warn', 'interval', 'passed', '0 of 2 rows', 'none', 0, 2, '[]', 0.004),
	('sparkify_warehouse', 'manual__2018-11-01T04:00', 'manual', '2018-11-01 04:00:00', '2018-11-01 05:00:00', '2026-11-22 00:10:56.247518', 'staging_events', 'every user of an event is in users', 'relationship', 'error', 'interval', 'passed', '0 of 2 rows', 'none', 0, 2, '[]', 0.001),
	('sparkify_warehouse', 'manual__2018-11-01T04:00', 'manual', '2018-11-01 04:00:00', '2018-11-01 05:00:00', '2026-11-22 00:10:56.247518', 'time', 'every date part matches its start time', 'sql', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.003),
	('sparkify_warehouse', 'manual__2018-11-01T04:00', 'manual', '2018-11-01 04:00:00', '2018-11-01 05:00:00', '2026-11-22 00:10:56.247518', 'users', 'every level is free or paid', 'accepted_values', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.001),
	('sparkify_warehouse', 'manual__2018-11-01T04:00', 'manual', '2018-11-01 04:00:00', '2018-11-01 05:00:00', '2026-11-22 00:10:56.247518', 'users', 'no duplicate users in the interval', 'sql', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.003),
	('sparkify_warehouse', 'manual__2018-11-01T05:00', 'manual', '2018-11-01 05:00:00', '2018-11-01 06:00:00', '2026-11-22 00:10:59.209727', 'songplays', 'plays match the staged events', 'agreement', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.019),
	('sparkify_warehouse', 'manual__2018-11-01T05:00', 'manual', '2018-11-01 05:00:00', '2018-11-01 06:00:00', '2026-11-22 00:10:59.209727', 'songplays', 'no duplicate plays', 'unique', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.025),
	('sparkify_warehouse', 'manual__2018-11-01T05:00', 'manual', '2018-11-01 05:00:00', '2018-11-01 06:00:00', '2026-11-22 00:10:59.209727', 'songplays', 'every play has a user', 'not_null', 'warn', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.025),
	('sparkify_warehouse', 'manual__2018-11-01T05:00', 'manual', '2018-11-01 05:00:00', '2018-11-01 06:00:00', '2026-11-22 00:10:59.209727', 'songplays', 'every level is free or paid', 'accepted_values', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.025),
	('sparkify_warehouse', 'manual__2018-11-01T05:00', 'manual', '2018-11-01 05:00:00', '2018-11-01 06:00:00', '2026-11-22 00:10:59.209727', 'songplays', 'every player is in users', 'relationship', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.007),
	('sparkify_warehouse', 'manual__2018-11-01T05:00', 'manual', '2018-11-01 05:00:00', '2018-11-01 06:00:00', '2026-11-22 00:10:59.209727', 'songplays', 'every start time is in time', 'relationship', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.002),
	('sparkify_warehouse', 'manual__2018-11-01T05:00', 'manual', '2018-11-01 05:00:00', '2018-11-01 06:00:00', '2026-11-22 00:10:59.209727', 'songplays', 'every linked song is in songs', 'relationship', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.006),
	('sparkify_warehouse', 'manual__2018-11-01T05:00', 'manual', '2018-11-01 05:00:00', '2018-11-01 06:00:00', '2026-11-22 00:10:59.209727', 'songplays', 'every linked artist is in artists', 'relationship', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.003),
	('sparkify_warehouse', 'manual__2018-11-01T05:00', 'manual', '2018-11-01 05:00:00', '2018-11-01 06:00:00', '2026-11-22 00:10:59.209727', 'songplays', 'play volume is similar to earlier weeks', 'volume', 'warn', 'interval', 'passed', '1 rows', 'earlier weeks have too few rows to compare (fewer than 100)', 0, 1, '[]', 0.001),
	('sparkify_warehouse', 'manual__2018-11-01T05:00', 'manual', '2018-11-01 05:00:00', '2018-11-01 06:00:00', '2026-11-22 00:10:59.209727', 'staging_events', 'no event was rejected', 'rejected', 'warn', 'interval', 'warned', '1 of 2 rows', 'none', 1, 2, '[{"file_name": "s3://baseline/log_data/2018/11/2018-11-01-events.json", "line_number": 0, "column_name": "ts", "error_code": 1, "reason": "ts is 33658-09-27 01:46:40: the warehouse accepts [1970-01-01, 2200-01-01)"}]', 0.016),
	('sparkify_warehouse', 'manual__2018-11-01T05:00', 'manual', '2018-11-01 05:00:00', '2018-11-01 06:00:00', '2026-11-22 00:10:59.209727', 'staging_events', 'no code has trailing blanks', 'sql', 'warn', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.012),
	('sparkify_warehouse', 'manual__2018-11-01T05:00', 'manual', '2018-11-01 05:00:00', '2018-11-01 06:00:00', '2026-11-22 00:10:59.209727', 'staging_events', 'every user of an event is in users', 'relationship', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.012),
	('sparkify_warehouse', 'manual__2018-11-01T05:00', 'manual', '2018-11-01 05:00:00', '2018-11-01 06:00:00', '2026-11-22 00:10:59.209727', 'time', 'every date part matches its start time', 'sql', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.006),
	('sparkify_warehouse', 'manual__2018-11-01T05:00', 'manual', '2018-11-01 05:00:00', '2018-11-01 06:00:00', '2026-11-22 00:10:59.209727', 'users', 'every level is free or paid', 'accepted_values', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.004),
	('sparkify_warehouse', 'manual__2018-11-01T05:00', 'manual', '2018-11-01 05:00:00', '2018-11-01 06:00:00', '2026-11-22 00:10:59.209727', 'users', 'no duplicate users in the interval', 'sql', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.011),
	('sparkify_warehouse', 'manual__2018-11-01', 'manual', '2018-11-01 00:00:00', '2018-11-02 00:00:00', '2026-11-22 00:11:02.764617', 'songplays', 'plays match the staged events', 'agreement', 'error', 'interval', 'passed', '0 of 25 rows', 'none', 0, 25, '[]', 0.004),
	('sparkify_warehouse', 'manual__2018-11-01', 'manual', '2018-11-01 00:00:00', '2018-11-02 00:00:00', '2026-11-22 00:11:02.764617', 'songplays', 'no duplicate plays', 'unique', 'error', 'interval', 'passed', '0 of 25 rows', 'none', 0, 25, '[]', 0.006),
	('sparkify_warehouse', 'manual__2018-11-01', 'manual', '2018-11-01 00:00:00', '2018-11-02 00:00:00', '2026-11-22 00:11:02.764617', 'songplays', 'every play has a user', 'not_null', 'warn', 'interval', 'passed', '0 of 25 rows', 'none', 0, 25, '[]', 0.006),
	('sparkify_warehouse', 'manual__2018-11-01', 'manual', '2018-11-01 00:00:00', '2018-11-02 00:00:00', '2026-11-22 00:11:02.764617', 'songplays', 'every level is free or paid', 'accepted_values', 'error', 'interval', 'passed', '0 of 25 rows', 'none', 0, 25, '[]', 0.006),
	('sparkify_warehouse', 'manual__2018-11-01', 'manual', '2018-11-01 00:00:00', '2018-11-02 00:00:00', '2026-11-22 00:11:02.764617', 'songplays', 'every player is in users', 'relationship', 'error', 'interval', 'passed', '0 of 25 rows', 'none', 0, 25, '[]', 0.005),
	('sparkify_warehouse', 'manual__2018-11-01', 'manual', '2018-11-01 00:00:00', '2018-11-02 00:00:00', '2026-11-22 00:11:02.764617', 'songplays', 'every start time is in time', 'relationship', 'error', 'interval', 'passed', '0 of 25 rows', 'none', 0, 25, '[]', 0.001),
	('sparkify_warehouse', 'manual__2018-11-01', 'manual', '2018-11-01 00:00:00', '2018-11-02 00:00:00', '2026-11-22 00:11:02.764617', 'songplays', 'every linked song is in songs', 'relationship', 'error', 'interval', 'passed', '0 of 25 rows', 'none', 0, 25, '[]', 0.001),
	('sparkify_warehouse', 'manual__2018-11-01', 'manual', '2018-11-01 00:00:00', '2018-11-02 00:00:00', '2026-11-22 00:11:02.764617', 'songplays', 'every linked artist is in artists', 'relationship', 'error', 'interval', 'passed', '0 of 25 rows', 'none', 0, 25, '[]', 0.005),
	('sparkify_warehouse', 'manual__2018-11-01', 'manual', '2018-11-01 00:00:00', '2018-11-02 00:00:00', '2026-11-22 00:11:02.764617', 'songplays', 'play volume is similar to earlier weeks', 'volume', 'warn', 'interval', 'passed', '24 rows', 'earlier weeks have too few rows to compare (fewer than 100)', 0, 25, '[]', 0.001),
	('sparkify_warehouse', 'manual__2018-11-01', 'manual', '2018-11-01 00:00:00', '2018-11-02 00:00:00', '2026-11-22 00:11:02.764617', 'staging_events', 'no event was rejected', 'rejected', 'warn', 'interval', 'warned', '1 of 29 rows', 'none', 1, 29, '[{"file_name": "s3://baseline/log_data/2018/11/2018-11-01-events.json", "line_number": 0, "column_name": "ts", "error_code": 1, "reason": "ts is 33658-09-27 01:46:40: the warehouse accepts [1970-01-01, 2200-01-01)"}]', 0.002),
	('sparkify_warehouse', 'manual__2018-11-01', 'manual', '2018-11-01 00:00:00', '2018-11-02 00:00:00', '2026-11-22 00:11:02.764617', 'staging_events', 'no code has trailing blanks', 'sql', 'warn', 'interval', 'passed', '0 of 28 rows', 'none', 0, 28, '[]', 0.003),
	('sparkify_warehouse', 'manual__2018-11-01', 'manual', '2018-11-01 00:00:00', '2018-11-02 00:00:00', '2026-11-22 00:11:02.764617', 'staging_events', 'every user of an event is in users', 'relationship', 'error', 'interval', 'passed', '0 of 28 rows', 'none', 0, 28, '[]', 0.001),
	('sparkify_warehouse', 'manual__2018-11-01', 'manual', '2018-11-01 00:00:00', '2018-11-02 00:00:00', '2026-11-22 00:11:02.764617', 'time', 'every date part matches its start time', 'sql', 'error', 'interval', 'passed', '0 of 25 rows', 'none', 0, 25, '[]', 0.002),
	('sparkify_warehouse', 'manual__2018-11-01', 'manual', '2018-11-01 00:00:00', '2018-11-02 00:00:00', '2026-11-22 00:11:02.764617', 'users', 'every level is free or paid', 'accepted_values', 'error', 'interval', 'passed', '0 of 6 rows', 'none', 0, 6, '[]', 0.001),
	('sparkify_warehouse', 'manual__2018-11-01', 'manual', '2018-11-01 00:00:00', '2018-11-02 00:00:00', '2026-11-22 00:11:02.764617', 'users', 'no duplicate users in the interval', 'sql', 'error', 'interval', 'passed', '0 of 6 rows', 'none', 0, 6, '[]', 0.001),
	('sparkify_warehouse', 'manual__2018-11-02T06:00', 'manual', '2018-11-02 06:00:00', '2018-11-02 07:00:00', '2026-11-22 00:11:04.144353', 'songplays', 'plays match the staged events', 'agreement', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.005),
	('sparkify_warehouse', 'manual__2018-11-02T06:00', 'manual', '2018-11-02 06:00:00', '2018-11-02 07:00:00', '2026-11-22 00:11:04.144353', 'songplays', 'no duplicate plays', 'unique', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.005),
	('sparkify_warehouse', 'manual__2018-11-02T06:00', 'manual', '2018-11-02 06:00:00', '2018-11-02 07:00:00', '2026-11-22 00:11:04.144353', 'songplays', 'every play has a user', 'not_null', 'warn', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.005),
	('sparkify_warehouse', 'manual__2018-11-02T06:00', 'manual', '2018-11-02 06:00:00', '2018-11-02 07:00:00', '2026-11-22 00:11:04.144353', 'songplays', 'every level is free or paid', 'accepted_values', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.005),
	('sparkify_warehouse', 'manual__2018-11-02T06:00', 'manual', '2018-11-02 06:00:00', '2018-11-02 07:00:00', '2026-11-22 00:11:04.144353', 'songplays', 'every player is in users', 'relationship', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.006),
	('sparkify_warehouse', 'manual__2018-11-02T06:00', 'manual', '2018-11-02 06:00:00', '2018-11-02 07:00:00', '2026-11-22 00:11:04.144353', 'songplays', 'every start time is in time', 'relationship', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.001),
	('sparkify_warehouse', 'manual__2018-11-02T06:00', 'manual', '2018-11-02 06:00:00', '2018-11-02 07:00:00', '2026-11-22 00:11:04.144353', 'songplays', 'every linked song is in songs', 'relationship', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.001),
	('sparkify_warehouse', 'manual__2018-11-02T06:00', 'manual', '2018-11-02 06:00:00', '2018-11-02 07:00:00', '2026-11-22 00:11:04.144353', 'songplays', 'every linked artist is in artists', 'relationship', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.001),
	('sparkify_warehouse', 'manual__2018-11-02T06:00', 'manual', '2018-11-02 06:00:00', '2018-11-02 07:00:00', '2026-11-22 00:11:04.144353', 'songplays', 'play volume is similar to earlier weeks', 'volume', 'warn', 'interval', 'passed', '1 rows', 'earlier weeks have too few rows to compare (fewer than 100)', 0, 1, '[]', 0.005),
	('sparkify_warehouse', 'manual__2018-11-02T06:00', 'manual', '2018-11-02 06:00:00', '2018-11-02 07:00:00', '2026-11-22 00:11:04.144353', 'staging_events', 'no event was rejected', 'rejected', 'warn', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.001),
	('sparkify_warehouse', 'manual__2018-11-02T06:00', 'manual', '2018-11-02 06:00:00', '2018-11-02 07:00:00', '2026-11-22 00:11:04.144353', 'staging_events', 'no code has trailing blanks', 'sql', 'warn', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.015),
	('sparkify_warehouse', 'manual__2018-11-02T06:00', 'manual', '2018-11-02 06:00:00', '2018-11-02 07:00:00', '2026-11-22 00:11:04.144353', 'staging_events', 'every user of an event is in users', 'relationship', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.001),
	('sparkify_warehouse', 'manual__2018-11-02T06:00', 'manual', '2018-11-02 06:00:00', '2018-11-02 07:00:00', '2026-11-22 00:11:04.144353', 'time', 'every date part matches its start time', 'sql', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.006),
	('sparkify_warehouse', 'manual__2018-11-02T06:00', 'manual', '2018-11-02 06:00:00', '2018-11-02 07:00:00', '2026-11-22 00:11:04.144353', 'users', 'every level is free or paid', 'accepted_values', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.001),
	('sparkify_warehouse', 'manual__2018-11-02T06:00', 'manual', '2018-11-02 06:00:00', '2018-11-02 07:00:00', '2026-11-22 00:11:04.144353', 'users', 'no duplicate users in the interval', 'sql', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.002),
	('sparkify_warehouse', 'manual__2018-11-02', 'manual', '2018-11-02 00:00:00', '2018-11-03 00:00:00', '2026-11-22 00:11:05.295697', 'songplays', 'plays match the staged events', 'agreement', 'error', 'interval', 'passed', '0 of 24 rows', 'none', 0, 24, '[]', 0.003),
	('sparkify_warehouse', 'manual__2018-11-02', 'manual', '2018-11-02 00:00:00', '2018-11-03 00:00:00', '2026-11-22 00:11:05.295697', 'songplays', 'no duplicate plays', 'unique', 'error', 'interval', 'passed', '0 of 24 rows', 'none', 0, 24, '[]', 0.008),
	('sparkify_warehouse', 'manual__2018-11-02', 'manual', '2018-11-02 00:00:00', '2018-11-03 00:00:00', '2026-11-22 00:11:05.295697', 'songplays', 'every play has a user', 'not_null', 'warn', 'interval', 'passed', '0 of 24 rows', 'none', 0, 24, '[]', 0.008),
	('sparkify_warehouse', 'manual__2018-11-02', 'manual', '2018-11-02 00:00:00', '2018-11-03 00:00:00', '2026-11-22 00:11:05.295697', 'songplays', 'every level is free or paid', 'accepted_values', 'error', 'interval', 'passed', '0 of 24 rows', 'none', 0, 24, '[]', 0.008),
	('sparkify_warehouse', 'manual__2018-11-02', 'manual', '2018-11-02 00:00:00', '2018-11-03 00:00:00', '2026-11-22 00:11:05.295697', 'songplays', 'every player is in users', 'relationship', 'error', 'interval', 'passed', '0 of 24 rows', 'none', 0, 24, '[]', 0.001),
	('sparkify_warehouse', 'manual__2018-11-02', 'manual', '2018-11-02 00:00:00', '2018-11-03 00:00:00', '2026-11-22 00:11:05.295697', 'songplays', 'every start time is in time', 'relationship', 'error', 'interval', 'passed', '0 of 24 rows', 'none', 0, 24, '[]', 0.002),
	('sparkify_warehouse', 'manual__2018-11-02', 'manual', '2018-11-02 00:00:00', '2018-11-03 00:00:00', '2026-11-22 00:11:05.295697', 'songplays', 'every linked song is in songs', 'relationship', 'error', 'interval', 'passed', '0 of 24 rows', 'none', 0, 24, '[]', 0.001),
	('sparkify_warehouse', 'manual__2018-11-02', 'manual', '2018-11-02 00:00:00', '2018-11-03 00:00:00', '2026-11-22 00:11:05.295697', 'songplays', 'every linked artist is in artists', 'relationship', 'error', 'interval', 'passed', '0 of 24 rows', 'none', 0, 24, '[]', 0.001),
	('sparkify_warehouse', 'manual__2018-11-02', 'manual', '2018-11-02 00:00:00', '2018-11-03 00:00:00', '2026-11-22 00:11:05.295697', 'songplays', 'play volume is similar to earlier weeks', 'volume', 'warn', 'interval', 'passed', '25 rows', 'earlier weeks have too few rows to compare (fewer than 100)', 0, 24, '[]', 0.001),
	('sparkify_warehouse', 'manual__2018-11-02', 'manual', '2018-11-02 00:00:00', '2018-11-03 00:00:00', '2026-11-22 00:11:05.295697', 'staging_events', 'no event was rejected', 'rejected', 'warn', 'interval', 'passed', '0 of 26 rows', 'none', 0, 26, '[]', 0),
	('sparkify_warehouse', 'manual__2018-11-02', 'manual', '2018-11-02 00:00:00', '2018-11-03 00:00:00', '2026-11-22 00:11:05.295697', 'staging_events', 'no code has trailing blanks', 'sql', 'warn', 'interval', 'passed', '0 of 26 rows', 'none', 0, 26, '[]', 0.003),
	('sparkify_warehouse', 'manual__2018-11-02', 'manual', '2018-11-02 00:00:00', '2018-11-03 00:00:00', '2026-11-22 00:11:05.295697', 'staging_events', 'every user of an event is in users', 'relationship', 'error', 'interval', 'passed', '0 of 26 rows', 'none', 0, 26, '[]', 0.001),
	('sparkify_warehouse', 'manual__2018-11-02', 'manual', '2018-11-02 00:00:00', '2018-11-03 00:00:00', '2026-11-22 00:11:05.295697', 'time', 'every date part matches its start time', 'sql', 'error', 'interval', 'passed', '0 of 24 rows', 'none', 0, 24, '[]', 0.004),
	('sparkify_warehouse', 'manual__2018-11-02', 'manual', '2018-11-02 00:00:00', '2018-11-03 00:00:00', '2026-11-22 00:11:05.295697', 'users', 'every level is free or paid', 'accepted_values', 'error', 'interval', 'passed', '0 of 5 rows', 'none', 0, 5, '[]', 0.002),
	('sparkify_warehouse', 'manual__2018-11-02', 'manual', '2018-11-02 00:00:00', '2018-11-03 00:00:00', '2026-11-22 00:11:05.295697', 'users', 'no duplicate users in the interval', 'sql', 'error', 'interval', 'passed', '0 of 5 rows', 'none', 0, 5, '[]', 0.002),
	('sparkify_warehouse', 'manual__2018-11-02T06:00', 'manual', '2018-11-02 06:00:00', '2018-11-02 07:00:00', '2026-11-22 00:11:08.38556', 'songplays', 'plays match the staged events', 'agreement', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.003),
	('sparkify_warehouse', 'manual__2018-11-02T06:00', 'manual', '2018-11-02 06:00:00', '2018-11-02 07:00:00', '2026-11-22 00:11:08.38556', 'songplays', 'no duplicate plays', 'unique', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.008),
	('sparkify_warehouse', 'manual__2018-11-02T06:00', 'manual', '2018-11-02 06:00:00', '2018-11-02 07:00:00', '2026-11-22 00:11:08.38556', 'songplays', 'every play has a user', 'not_null', 'warn', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.007),
	('sparkify_warehouse', 'manual__2018-11-02T06:00', 'manual', '2018-11-02 06:00:00', '2018-11-02 07:00:00', '2026-11-22 00:11:08.38556', 'songplays', 'every level is free or paid', 'accepted_values', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.007),
	('sparkify_warehouse', 'manual__2018-11-02T06:00', 'manual', '2018-11-02 06:00:00', '2018-11-02 07:00:00', '2026-11-22 00:11:08.38556', 'songplays', 'every player is in users', 'relationship', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.005),
	('sparkify_warehouse', 'manual__2018-11-02T06:00', 'manual', '2018-11-02 06:00:00', '2018-11-02 07:00:00', '2026-11-22 00:11:08.38556', 'songplays', 'every start time is in time', 'relationship', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.001),
	('sparkify_warehouse', 'manual__2018-11-02T06:00', 'manual', '2018-11-02 06:00:00', '2018-11-02 07:00:00', '2026-11-22 00:11:08.38556', 'songplays', 'every linked song is in songs', 'relationship', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.001),
	('sparkify_warehouse', 'manual__2018-11-02T06:00', 'manual', '2018-11-02 06:00:00', '2018-11-02 07:00:00', '2026-11-22 00:11:08.38556', 'songplays', 'every linked artist is in artists', 'relationship', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.003),
	('sparkify_warehouse', 'manual__2018-11-02T06:00', 'manual', '2018-11-02 06:00:00', '2018-11-02 07:00:00', '2026-11-22 00:11:08.38556', 'songplays', 'play volume is similar to earlier weeks', 'volume', 'warn', 'interval', 'passed', '1 rows', 'earlier weeks have too few rows to compare (fewer than 100)', 0, 1, '[]', 0.001),
	('sparkify_warehouse', 'manual__2018-11-02T06:00', 'manual', '2018-11-02 06:00:00', '2018-11-02 07:00:00', '2026-11-22 00:11:08.38556', 'staging_events', 'no event was rejected', 'rejected', 'warn', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.001),
	('sparkify_warehouse', 'manual__2018-11-02T06:00', 'manual', '2018-11-02 06:00:00', '2018-11-02 07:00:00', '2026-11-22 00:11:08.38556', 'staging_events', 'no code has trailing blanks', 'sql', 'warn', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.007),
	('sparkify_warehouse', 'manual__2018-11-02T06:00', 'manual', '2018-11-02 06:00:00', '2018-11-02 07:00:00', '2026-11-22 00:11:08.38556', 'staging_events', 'every user of an event is in users', 'relationship', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.001),
	('sparkify_warehouse', 'manual__2018-11-02T06:00', 'manual', '2018-11-02 06:00:00', '2018-11-02 07:00:00', '2026-11-22 00:11:08.38556', 'time', 'every date part matches its start time', 'sql', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.007),
	('sparkify_warehouse', 'manual__2018-11-02T06:00', 'manual', '2018-11-02 06:00:00', '2018-11-02 07:00:00', '2026-11-22 00:11:08.38556', 'users', 'every level is free or paid', 'accepted_values', 'error', 'interval', 'passed', '0 of 0 rows', 'none', 0, 0, '[]', 0.001),
	('sparkify_warehouse', 'manual__2018-11-02T06:00', 'manual', '2018-11-02 06:00:00', '2018-11-02 07:00:00', '2026-11-22 00:11:08.38556', 'users', 'no duplicate users in the interval', 'sql', 'error', 'interval', 'passed', '0 of 0 rows', 'none', 0, 0, '[]', 0.005),
	('sparkify_warehouse', 'manual__2018-11-03T07:00', 'manual', '2018-11-03 07:00:00', '2018-11-03 08:00:00', '2026-11-22 00:11:11.216043', 'songplays', 'plays match the staged events', 'agreement', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.054),
	('sparkify_warehouse', 'manual__2018-11-03T07:00', 'manual', '2018-11-03 07:00:00', '2018-11-03 08:00:00', '2026-11-22 00:11:11.216043', 'songplays', 'no duplicate plays', 'unique', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.035),
	('sparkify_warehouse', 'manual__2018-11-03T07:00', 'manual', '2018-11-03 07:00:00', '2018-11-03 08:00:00', '2026-11-22 00:11:11.216043', 'songplays', 'every play has a user', 'not_null', 'warn', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.035),
	('sparkify_warehouse', 'manual__2018-11-03T07:00', 'manual', '2018-11-03 07:00:00', '2018-11-03 08:00:00', '2026-11-22 00:11:11.216043', 'songplays', 'every level is free or paid', 'accepted_values', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.035),
	('sparkify_warehouse', 'manual__2018-11-03T07:00', 'manual', '2018-11-03 07:00:00', '2018-11-03 08:00:00', '2026-11-22 00:11:11.216043', 'songplays', 'every player is in users', 'relationship', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.005),
	('sparkify_warehouse', 'manual__2018-11-03T07:00', 'manual', '2018-11-03 07:00:00', '2018-11-03 08:00:00', '2026-11-22 00:11:11.216043', 'songplays', 'every start time is in time', 'relationship', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.005),
	('sparkify_warehouse', 'manual__2018-11-03T07:00', 'manual', '2018-11-03 07:00:00', '2018-11-03 08:00:00', '2026-11-22 00:11:11.216043', 'songplays', 'every linked song is in songs', 'relationship', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.003),
	('sparkify_warehouse', 'manual__2018-11-03T07:00', 'manual', '2018-11-03 07:00:00', '2018-11-03 08:00:00', '2026-11-22 00:11:11.216043', 'songplays', 'every linked artist is in artists', 'relationship', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.031),
	('sparkify_warehouse', 'manual__2018-11-03T07:00', 'manual', '2018-11-03 07:00:00', '2018-11-03 08:00:00', '2026-11-22 00:11:11.216043', 'songplays', 'play volume is similar to earlier weeks', 'volume', 'warn', 'interval', 'passed', '1 rows', 'earlier weeks have too few rows to compare (fewer than 100)', 0, 1, '[]', 0.008),
	('sparkify_warehouse', 'manual__2018-11-03T07:00', 'manual', '2018-11-03 07:00:00', '2018-11-03 08:00:00', '2026-11-22 00:11:11.216043', 'staging_events', 'no event was rejected', 'rejected', 'warn', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.002);
INSERT INTO operations.data_quality_results VALUES
	('sparkify_warehouse', 'manual__2018-11-03T07:00', 'manual', '2018-11-03 07:00:00', '2018-11-03 08:00:00', '2026-11-22 00:11:11.216043', 'staging_events', 'no code has trailing blanks', 'sql', 'warn', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.004),
	('sparkify_warehouse', 'manual__2018-11-03T07:00', 'manual', '2018-11-03 07:00:00', '2018-11-03 08:00:00', '2026-11-22 00:11:11.216043', 'staging_events', 'every user of an event is in users', 'relationship', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.002),
	('sparkify_warehouse', 'manual__2018-11-03T07:00', 'manual', '2018-11-03 07:00:00', '2018-11-03 08:00:00', '2026-11-22 00:11:11.216043', 'time', 'every date part matches its start time', 'sql', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.004),
	('sparkify_warehouse', 'manual__2018-11-03T07:00', 'manual', '2018-11-03 07:00:00', '2018-11-03 08:00:00', '2026-11-22 00:11:11.216043', 'users', 'every level is free or paid', 'accepted_values', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.003),
	('sparkify_warehouse', 'manual__2018-11-03T07:00', 'manual', '2018-11-03 07:00:00', '2018-11-03 08:00:00', '2026-11-22 00:11:11.216043', 'users', 'no duplicate users in the interval', 'sql', 'error', 'interval', 'passed', '0 of 1 rows', 'none', 0, 1, '[]', 0.016),
	('sparkify_warehouse', 'manual__2018-11-03T00:00', 'manual', '2018-11-03 00:00:00', '2018-11-03 07:00:00', '2026-11-22 00:11:13.399324', 'songplays', 'plays match the staged events', 'agreement', 'error', 'interval', 'passed', '0 of 7 rows', 'none', 0, 7, '[]', 0.003),
	('sparkify_warehouse', 'manual__2018-11-03T00:00', 'manual', '2018-11-03 00:00:00', '2018-11-03 07:00:00', '2026-11-22 00:11:13.399324', 'songplays', 'no duplicate plays', 'unique', 'error', 'interval', 'passed', '0 of 7 rows', 'none', 0, 7, '[]', 0.005),
	('sparkify_warehouse', 'manual__2018-11-03T00:00', 'manual', '2018-11-03 00:00:00', '2018-11-03 07:00:00', '2026-11-22 00:11:13.399324', 'songplays', 'every play has a user', 'not_null', 'warn', 'interval', 'passed', '0 of 7 rows', 'none', 0, 7, '[]', 0.005),
	('sparkify_warehouse', 'manual__2018-11-03T00:00', 'manual', '2018-11-03 00:00:00', '2018-11-03 07:00:00', '2026-11-22 00:11:13.399324', 'songplays', 'every level is free or paid', 'accepted_values', 'error', 'interval', 'passed', '0 of 7 rows', 'none', 0, 7, '[]', 0.005),
	('sparkify_warehouse', 'manual__2018-11-03T00:00', 'manual', '2018-11-03 00:00:00', '2018-11-03 07:00:00', '2026-11-22 00:11:13.399324', 'songplays', 'every player is in users', 'relationship', 'error', 'interval', 'passed', '0 of 7 rows', 'none', 0, 7, '[]', 0.002),
	('sparkify_warehouse', 'manual__2018-11-03T00:00', 'manual', '2018-11-03 00:00:00', '2018-11-03 07:00:00', '2026-11-22 00:11:13.399324', 'songplays', 'every start time is in time', 'relationship', 'error', 'interval', 'passed', '0 of 7 rows', 'none', 0, 7, '[]', 0.003),
	('sparkify_warehouse', 'manual__2018-11-03T00:00', 'manual', '2018-11-03 00:00:00', '2018-11-03 07:00:00', '2026-11-22 00:11:13.399324', 'songplays', 'every linked song is in songs', 'relationship', 'error', 'interval', 'passed', '0 of 7 rows', 'none', 0, 7, '[]', 0.001),
	('sparkify_warehouse', 'manual__2018-11-03T00:00', 'manual', '2018-11-03 00:00:00', '2018-11-03 07:00:00', '2026-11-22 00:11:13.399324', 'songplays', 'every linked artist is in artists', 'relationship', 'error', 'interval', 'passed', '0 of 7 rows', 'none', 0, 7, '[]', 0.001),
	('sparkify_warehouse', 'manual__2018-11-03T00:00', 'manual', '2018-11-03 00:00:00', '2018-11-03 07:00:00', '2026-11-22 00:11:13.399324', 'songplays', 'play volume is similar to earlier weeks', 'volume', 'warn', 'interval', 'passed', '7 rows', 'earlier weeks have too few rows to compare (fewer than 100)', 0, 7, '[]', 0.001),
	('sparkify_warehouse', 'manual__2018-11-03T00:00', 'manual', '2018-11-03 00:00:00', '2018-11-03 07:00:00', '2026-11-22 00:11:13.399324', 'staging_events', 'no event was rejected', 'rejected', 'warn', 'interval', 'passed', '0 of 7 rows', 'none', 0, 7, '[]', 0.001),
	('sparkify_warehouse', 'manual__2018-11-03T00:00', 'manual', '2018-11-03 00:00:00', '2018-11-03 07:00:00', '2026-11-22 00:11:13.399324', 'staging_events', 'no code has trailing blanks', 'sql', 'warn', 'interval', 'passed', '0 of 7 rows', 'none', 0, 7, '[]', 0.014),
	('sparkify_warehouse', 'manual__2018-11-03T00:00', 'manual', '2018-11-03 00:00:00', '2018-11-03 07:00:00', '2026-11-22 00:11:13.399324', 'staging_events', 'every user of an event is in users', 'relationship', 'error', 'interval', 'passed', '0 of 7 rows', 'none', 0, 7, '[]', 0.009),
	('sparkify_warehouse', 'manual__2018-11-03T00:00', 'manual', '2018-11-03 00:00:00', '2018-11-03 07:00:00', '2026-11-22 00:11:13.399324', 'time', 'every date part matches its start time', 'sql', 'error', 'interval', 'passed', '0 of 7 rows', 'none', 0, 7, '[]', 0.002),
	('sparkify_warehouse', 'manual__2018-11-03T00:00', 'manual', '2018-11-03 00:00:00', '2018-11-03 07:00:00', '2026-11-22 00:11:13.399324', 'users', 'every level is free or paid', 'accepted_values', 'error', 'interval', 'passed', '0 of 4 rows', 'none', 0, 4, '[]', 0.003),
	('sparkify_warehouse', 'manual__2018-11-03T00:00', 'manual', '2018-11-03 00:00:00', '2018-11-03 07:00:00', '2026-11-22 00:11:13.399324', 'users', 'no duplicate users in the interval', 'sql', 'error', 'interval', 'passed', '0 of 4 rows', 'none', 0, 4, '[]', 0.002);
INSERT INTO operations.loaded_batches VALUES
	('songs', 2),
	('artists', 2),
	('songplays', 2);
INSERT INTO operations.rejected_rows VALUES
	('staging_events', '2018-11-01 00:00:00', NULL, 'manual__2018-11-01', '2026-11-22 00:11:00.674881', 's3://baseline/log_data/2018/11/2018-11-01-events.json', 0, 'ts', 1, 'ts is 33658-09-27 01:46:40: the warehouse accepts [1970-01-01, 2200-01-01)', NULL, '33658-09-27 01:46:40'),
	('staging_songs', NULL, -1, 'manual__2018-11-02T06:00', '2026-11-22 00:11:03.368442', 's3://baseline/song_data/A/A/A/invalid.json', 1, 'year', 1207, 'Invalid digit, Value ''i'', Pos 0, Type: Integer', '{"artist_id": "AR1", "artist_latitude": null, "artist_location": "London", "artist_longitude": null, "artist_name": "Des''ree", "duration": 246.30812, "num_songs": 1, "song_id": "SO4", "title": "Title 4", "year": "in spring"}', 'in spring');
INSERT INTO operations.staged_batches VALUES
	('staging_songs', 1, false, 3, 3, '2026-11-22 00:10:53.551811'),
	('staging_songs', 2, true, 3, 3, '2026-11-22 00:11:03.359945');
INSERT INTO operations.staged_objects VALUES
	('staging_songs', 'song_data/A/A/A/0.json', '420e84c170bd0c083335cc650d95275f', 217, 2),
	('staging_songs', 'song_data/A/A/A/1.json', '45799f626ad007ea1b6c89f11365e42d', 216, 2),
	('staging_songs', 'song_data/A/A/A/3.json', '4e07bf3f84a51ef15d29441661844bde', 217, 2),
	('staging_songs', 'song_data/A/A/A/invalid.json', '8f04bc789c717430b5454cf001d9be6a', 224, -1);
INSERT INTO operations.staged_periods VALUES
	('staging_events', '2018-11-01 00:00:00', 'f673884de3c3de65eb739ef121b66a2b00b6b1ae8bd404e38c5d8363fdd6b55d'),
	('staging_events', '2018-11-02 00:00:00', 'a05363acb6d66b1d15d283dcf436d9407ef94a000483f066c00f10dcc637c4bb'),
	('staging_events', '2018-11-03 00:00:00', '8b972ed9589fa4ca8d128d4ac5d249ab3da5009e60100268e2a35ebc7fb8c2a1');
INSERT INTO public.artists VALUES
	('AR1', 'Desree', 'London', NULL, NULL, 2, '00000002020SO15c71a3c18a13d89479c87c04ffa3d975'),
	('AR0', 'Des''ree', 'London', NULL, NULL, 2, '00000002000SO08b321a1391b0a15bdc1cbd3c7b3248f2');
INSERT INTO public.songplays VALUES
	('103ef5ed12b31c4e7fe9a2750ffe0415', '2018-11-01 11:10:00.011', 1, 'free', NULL, NULL, 11, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-01 11:10:00.011', '201811011110000116c5942f74847c481f19d1d2ca037416d', NULL),
	('1ba6b5b049dd465b71942c9446f9af17', '2018-11-01 20:10:00.02', 0, 'paid', NULL, NULL, 20, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-01 20:10:00.02', '2018110120100002044165fdda9e5b759767bb80c7c1c7b80', NULL),
	('20fdcfb87379c9a34b5ecbe0dda37ced', '2018-11-01 04:10:00.004', 4, 'free', NULL, NULL, 4, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-01 04:10:00.004', '20181101041000004de9ca2fe103db07e1ef88960312bb6fe', NULL),
	('3ded90525507cb606f3cc6606c5a49f5', '2018-11-01 06:10:00.006', 1, 'free', NULL, NULL, 6, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-01 06:10:00.006', '201811010610000067d074a83d0de4db426b6674730856799', NULL),
	('4b5bc55deded50e220fa3be7b9ee551b', '2018-11-01 19:10:00.019', 4, 'free', NULL, NULL, 19, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-01 19:10:00.019', '20181101191000019b548517c8ff1df08910d1caa66fde666', NULL),
	('53d8becb86073186679a35ce2173a736', '2018-11-01 18:10:00.018', 3, 'paid', NULL, NULL, 18, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-01 18:10:00.018', '2018110118100001842471b567174a00e184982921b6df7d9', NULL),
	('729321fd14ce1d9ac8cb037d17505aaf', '2018-11-01 12:10:00.012', 2, 'free', NULL, NULL, 12, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-01 12:10:00.012', '2018110112100001261741c3ea0b112c811d58f726ab9e2b3', NULL),
	('a9c5dbf4b6d018d84d4bb19c666a3422', '2018-11-01 05:10:00.005', 0, 'paid', NULL, NULL, 5, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-01 05:10:00.005', '2018110105100000575d31e6e3d36e30595f217e5bab97191', NULL),
	('f6431ee5f2108ab9865c7a55fc7e0815', '2018-11-01 13:10:00.013', 3, 'paid', NULL, NULL, 13, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-01 13:10:00.013', '20181101131000013814c6a733fed82789873fe81d27acf24', NULL),
	('16ffe1012d390b6a6ce3762c484bb767', '2018-11-01 15:10:00.015', 0, 'paid', NULL, NULL, 15, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-01 15:10:00.015', '20181101151000015be180372cf36cc6a5470181edbab93c5', NULL),
	('2dd6b4185ffaf931647b896faa2467dd', '2018-11-01 03:10:00.003', 3, 'paid', 'SO3', 'AR1', 3, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-01 03:10:00.003', '201811010310000032b8156a09187dde67b10be4eb4edcfbe', 2),
	('30344d9eeb4a4a6e0e5edd79911d444c', '2018-11-01 07:10:00.007', 2, 'free', 'SO0', 'AR0', 7, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-01 07:10:00.007', '20181101071000007fdabf8741f9ba183e5f8e9dcd43d0b7b', 2),
	('c231ddb824c5baa14b3a12c41dbfb770', '2018-11-02 06:10:00.006', 1, 'free', NULL, NULL, 106, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-02 06:10:00.006', '201811020610000067d074a83d0de4db426b6674730856799', NULL),
	('47916a328e37c712269a9a0529a58652', '2018-11-01 21:10:00.021', 1, 'free', 'SO0', 'AR0', 21, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-01 21:10:00.021', '20181101211000021c5d75dc9c28b830f3f054beba0b3fccd', 2),
	('52fc302a3649fd83b7150d26d057dad6', '2018-11-01 09:10:00.009', 4, 'free', NULL, NULL, 9, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-01 09:10:00.009', '20181101091000009989f1cefce82e52d38935ba288a6f4e2', NULL),
	('59a86ce6260479c3e557153ae840c9ea', '2018-11-01 17:10:00.017', 2, 'free', 'SO3', 'AR1', 17, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-01 17:10:00.017', '20181101171000017b7018b29095a2132da4e0ecd272702ed', 2),
	('8303abbb6a5d6d1af53c9dd45c682d62', '2018-11-01 02:10:00.002', 2, 'free', NULL, NULL, 2, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-01 02:10:00.002', '201811010210000025ad5e6010f75eff09dbf35a5f0925835', NULL),
	('879c33700ae18d2a51555e917fa2483b', '2018-11-01 16:10:00.016', 1, 'free', NULL, NULL, 16, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-01 16:10:00.016', '2018110116100001682bfcf14153a85d53c9b1d76e9897b88', NULL),
	('c7763203e20a64b270352752d6a1e7c6', '2018-11-01 00:10:00', 0, 'paid', 'SO0', 'AR0', 0, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-01 00:10:00', '20181101001000000c3201df90d9ca189bda0558def2caca8', 2),
	('cb2bba7bc31d04fbbd934d9e6c007b37', '2018-11-01 22:10:00.022', 2, 'free', NULL, NULL, 22, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-01 22:10:00.022', '20181101221000022cbfe62ba18519619f650101e4e66e1dd', NULL),
	('cb9dcfe81a4fe1c61874300c9e992585', '2018-11-01 10:10:00.01', 0, 'paid', 'SO3', 'AR1', 10, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-01 10:10:00.01', '201811011010000101a5d5694b0ecf2c9a2700ea9ce572850', 2),
	('cbc3ba00ee808fbb1a083e3ad0d13c7a', '2018-11-02 03:00:00', 7, 'free', 'SO3', 'AR1', 3, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-01 23:59:59.999999', '201811020300000003dae581c4384ad87f603edcedaf237f7', 2),
	('eaeb9fac3a6543cdaf97eb9dbedffbcd', '2018-11-01 23:10:00.023', 3, 'paid', NULL, NULL, 23, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-01 23:10:00.023', '20181101231000023be34a2cf1df418e5b611357463be47f2', NULL),
	('eca26941bc5187d1e2983961edb6dbb6', '2018-11-01 01:10:00.001', 1, 'free', NULL, NULL, 1, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-01 01:10:00.001', '20181101011000001125de52464392eed6a1eff1293801939', NULL),
	('f6ee284e057b2c6f664d22dad718c97e', '2018-11-01 14:10:00.014', 4, 'free', 'SO0', 'AR0', 14, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-01 14:10:00.014', '2018110114100001453b21da8b8314a80680d1d52350c2c46', 2),
	('f892268513d42318f9cb2e01c1513156', '2018-11-01 08:10:00.008', 3, 'paid', NULL, NULL, 8, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-01 08:10:00.008', '20181101081000008127a92378b634608c1c8ebceb52bb611', NULL),
	('ef86d572cd1cb11817af6fa6fce4f398', '2018-11-02 09:10:00.009', 4, 'free', NULL, NULL, 109, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-02 09:10:00.009', '20181102091000009989f1cefce82e52d38935ba288a6f4e2', NULL),
	('6bd177b942eb6c4c9a078e7db3df7d2b', '2018-11-02 05:10:00.005', 0, 'free', NULL, NULL, 105, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-02 05:10:00.005', '20181102051000005a2accdeae79e7fc22a4a8672c51028c9', NULL),
	('0a4ffa8da91101f455777f17b87ccbdf', '2018-11-02 13:10:00.013', 3, 'free', NULL, NULL, 113, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-02 13:10:00.013', '201811021310000137fd0bd9e34335c83278b457e663c7b90', NULL),
	('85881b358a2260dbd8c930b18786e4da', '2018-11-02 03:10:00.003', 3, 'free', 'SO3', 'AR1', 103, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-02 03:10:00.003', '20181102031000003c3a47eba3f8deef3d0586ccd009e543c', 2),
	('fc41b6b63aeb0465476a6cfd04fa915f', '2018-11-02 04:10:00.004', 4, 'free', NULL, NULL, 104, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-02 04:10:00.004', '20181102041000004de9ca2fe103db07e1ef88960312bb6fe', NULL),
	('39d2c243b3b3c32e75e59f1d40650a71', '2018-11-02 14:10:00.014', 4, 'free', 'SO0', 'AR0', 114, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-02 14:10:00.014', '2018110214100001453b21da8b8314a80680d1d52350c2c46', 2),
	('ec83d098519aa7c6c8807084cffa854f', '2018-11-02 07:10:00.007', 2, 'paid', 'SO0', 'AR0', 107, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-02 07:10:00.007', '2018110207100000709d5b209e39d6d3780a66badd8ec6697', 2),
	('46bcc1d5be91eb4dcde1bf1ac727b5b9', '2018-11-02 10:10:00.01', 0, 'free', 'SO3', 'AR1', 110, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-02 10:10:00.01', '2018110210100001019bed34df56c84678150eeb5f2c4195f', 2),
	('1502614802bb3be1840cb5e4ebe42f44', '2018-11-02 18:10:00.018', 3, 'free', NULL, NULL, 118, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-02 18:10:00.018', '2018110218100001804439cb3aaaacf5e78f02ea0f43180f7', NULL),
	('d1d350cb421b495eeb0ba6161dcd2ce9', '2018-11-02 23:10:00.023', 3, 'free', NULL, NULL, 123, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-02 23:10:00.023', '2018110223100002334b8cd65483b72421aa236c6384185d8', NULL),
	('339c7d2c0419dc3973b0224171d48912', '2018-11-02 19:10:00.019', 4, 'free', NULL, NULL, 119, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-02 19:10:00.019', '20181102191000019b548517c8ff1df08910d1caa66fde666', NULL),
	('0e0dcf58502a452f8b3684c821ad0c99', '2018-11-02 15:10:00.015', 0, 'free', NULL, NULL, 115, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-02 15:10:00.015', '20181102151000015956bf3f9ca64eeb983119fed594071ba', NULL),
	('269d37eb4c5adc669779537d58171533', '2018-11-02 21:10:00.021', 1, 'free', 'SO0', 'AR0', 121, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-02 21:10:00.021', '20181102211000021c5d75dc9c28b830f3f054beba0b3fccd', 2),
	('bb7b231c8742df6664dc20c83b7449e1', '2018-11-02 12:10:00.012', 2, 'paid', NULL, NULL, 112, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-02 12:10:00.012', '201811021210000120f86afacf35eec9081c629c7854bce07', NULL),
	('25157860b83808aa344e76003308a97b', '2018-11-02 01:10:00.001', 1, 'free', NULL, NULL, 101, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-02 01:10:00.001', '20181102011000001125de52464392eed6a1eff1293801939', NULL),
	('37bb7292315fc2d77e37722f967bea04', '2018-11-02 17:10:00.017', 2, 'paid', 'SO3', 'AR1', 117, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-02 17:10:00.017', '201811021710000170dd95bc9255beca706d6c03313a47c13', 2),
	('f9bb24eec2531a8123f39128f9e31aa9', '2018-11-02 22:10:00.022', 2, 'paid', NULL, NULL, 122, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-02 22:10:00.022', '2018110222100002280d87fff21593befdc40669371b5ce14', NULL),
	('cae5365e43986b2750cfb7e634c74be7', '2018-11-02 02:10:00.002', 2, 'paid', NULL, NULL, 102, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-02 02:10:00.002', '20181102021000002a9a7f133c9efec25fa3913841e94e050', NULL),
	('56584ff7e114ab8f55d7b7db889872d9', '2018-11-02 20:10:00.02', 0, 'free', NULL, NULL, 120, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-02 20:10:00.02', '20181102201000020520089ad1d4558783af6ff30b6385a70', NULL),
	('e427d49b566ffd54ccf91f14f39ceef2', '2018-11-02 08:10:00.008', 3, 'free', NULL, NULL, 108, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-02 08:10:00.008', '20181102081000008dd323edb9f2d7ddc72ad9ca15784a9ef', NULL),
	('49135140116d08f9f359d26438db8653', '2018-11-02 11:10:00.011', 1, 'free', NULL, NULL, 111, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-02 11:10:00.011', '201811021110000116c5942f74847c481f19d1d2ca037416d', NULL),
	('93c6be8cd278300130a3a03e7b850d4d', '2018-11-02 16:10:00.016', 1, 'free', NULL, NULL, 116, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-02 16:10:00.016', '2018110216100001682bfcf14153a85d53c9b1d76e9897b88', NULL),
	('85ea5cf2fb6846a823cc5e2b62d63e13', '2018-11-02 00:10:00', 0, 'free', 'SO0', 'AR0', 100, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-02 00:10:00', '201811020010000001cb5e9b8315a5f74354946b5349ccee3', 2),
	('fe6932664fedce15be06076e090d580b', '2018-11-03 07:10:00.007', 2, 'free', 'SO0', 'AR0', 207, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-03 07:10:00.007', '20181103071000007fdabf8741f9ba183e5f8e9dcd43d0b7b', 2),
	('5504ae48424a190b8238c1952308f7df', '2018-11-03 05:10:00.005', 0, 'free', NULL, NULL, 205, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-03 05:10:00.005', '20181103051000005a2accdeae79e7fc22a4a8672c51028c9', NULL),
	('e931ab3c374f3649d025d6e34e646459', '2018-11-03 06:10:00.006', 1, 'paid', NULL, NULL, 206, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-03 06:10:00.006', '20181103061000006bf10d6cf749d82315d9522d22a9540fa', NULL),
	('5ab3e91ab64dc193d4b6b09eefce566e', '2018-11-03 04:10:00.004', 4, 'paid', NULL, NULL, 204, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-03 04:10:00.004', '2018110304100000438ccc5c4139aef6946290d7f64807275', NULL),
	('26693c413c42eec8c850e8e597f228d8', '2018-11-03 01:10:00.001', 1, 'paid', NULL, NULL, 201, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-03 01:10:00.001', '201811030110000018431f2df998de7f9515248a9043ca259', NULL),
	('527e49fb28db410a324098c3e07199c5', '2018-11-03 00:10:00', 0, 'free', 'SO0', 'AR0', 200, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-03 00:10:00', '201811030010000001cb5e9b8315a5f74354946b5349ccee3', 2),
	('b0aa2cff39ec72d7a94a6d8ac63b8d1a', '2018-11-03 02:10:00.002', 2, 'free', NULL, NULL, 202, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-03 02:10:00.002', '201811030210000025ad5e6010f75eff09dbf35a5f0925835', NULL),
	('8e3ae76873b82eeb0d473a267646f1e5', '2018-11-03 03:10:00.003', 3, 'free', 'SO3', 'AR1', 203, 'Phoenix-Mesa-Scottsdale, AZ', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', '2018-11-03 03:10:00.003', '20181103031000003c3a47eba3f8deef3d0586ccd009e543c', 2);
INSERT INTO public.songs VALUES
	('SO0', 'Title 0', 'AR0', 2000, 246.30812, 2, '3337ce8d9ed66111f3069dd3cdab6730'),
	('SO3', 'Title 3', 'AR1', 2003, 246.30812, 2, '339cdf78629f44bbdd4c004c8885df3c'),
	('SO1', 'Title 1', 'AR1', 2020, 246.30812, 2, '64ef41fca009895cf2d4cb644dfa68db');
INSERT INTO public.staging_events VALUES
	('Des''ree', 'Logged In', 'First 0', 'F', 0, 'Summers', 246.30812, 'paid', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 0, 'Title 0', 200, '2018-11-01 00:10:00', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 0, '2018-11-01 00:10:00'),
	('Des''ree', 'Logged In', 'First 1', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 1, 'Title 1', 200, '2018-11-01 01:10:00.001', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 1, '2018-11-01 01:10:00.001'),
	('Des''ree', 'Logged In', 'First 2', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 2, 'Title 2', 200, '2018-11-01 02:10:00.002', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 2, '2018-11-01 02:10:00.002'),
	('Des''ree', 'Logged In', 'First 3', 'F', 0, 'Summers', 246.30812, 'paid', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 3, 'Title 3', 200, '2018-11-01 03:10:00.003', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 3, '2018-11-01 03:10:00.003'),
	('Des''ree', 'Logged In', 'First 4', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 4, 'Title 4', 200, '2018-11-01 04:10:00.004', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 4, '2018-11-01 04:10:00.004'),
	('Des''ree', 'Logged In', 'First 0', 'F', 0, 'Summers', 246.30812, 'paid', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 5, 'Title 5', 200, '2018-11-01 05:10:00.005', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 0, '2018-11-01 05:10:00.005'),
	('Des''ree', 'Logged In', 'First 1', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 6, 'Title 6', 200, '2018-11-01 06:10:00.006', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 1, '2018-11-01 06:10:00.006'),
	('Des''ree', 'Logged In', 'First 2', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 7, 'Title 0', 200, '2018-11-01 07:10:00.007', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 2, '2018-11-01 07:10:00.007'),
	('Des''ree', 'Logged In', 'First 3', 'F', 0, 'Summers', 246.30812, 'paid', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 8, 'Title 1', 200, '2018-11-01 08:10:00.008', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 3, '2018-11-01 08:10:00.008'),
	('Des''ree', 'Logged In', 'First 4', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 9, 'Title 2', 200, '2018-11-01 09:10:00.009', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 4, '2018-11-01 09:10:00.009'),
	('Des''ree', 'Logged In', 'First 0', 'F', 0, 'Summers', 246.30812, 'paid', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 10, 'Title 3', 200, '2018-11-01 10:10:00.01', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 0, '2018-11-01 10:10:00.01'),
	('Des''ree', 'Logged In', 'First 1', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 11, 'Title 4', 200, '2018-11-01 11:10:00.011', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 1, '2018-11-01 11:10:00.011'),
	('Des''ree', 'Logged In', 'First 2', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 12, 'Title 5', 200, '2018-11-01 12:10:00.012', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 2, '2018-11-01 12:10:00.012'),
	('Des''ree', 'Logged In', 'First 3', 'F', 0, 'Summers', 246.30812, 'paid', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 13, 'Title 6', 200, '2018-11-01 13:10:00.013', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 3, '2018-11-01 13:10:00.013'),
	('Des''ree', 'Logged In', 'First 4', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 14, 'Title 0', 200, '2018-11-01 14:10:00.014', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 4, '2018-11-01 14:10:00.014'),
	('Des''ree', 'Logged In', 'First 0', 'F', 0, 'Summers', 246.30812, 'paid', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 15, 'Title 1', 200, '2018-11-01 15:10:00.015', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 0, '2018-11-01 15:10:00.015'),
	('Des''ree', 'Logged In', 'First 1', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 16, 'Title 2', 200, '2018-11-01 16:10:00.016', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 1, '2018-11-01 16:10:00.016'),
	('Des''ree', 'Logged In', 'First 2', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 17, 'Title 3', 200, '2018-11-01 17:10:00.017', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 2, '2018-11-01 17:10:00.017'),
	('Des''ree', 'Logged In', 'First 3', 'F', 0, 'Summers', 246.30812, 'paid', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 18, 'Title 4', 200, '2018-11-01 18:10:00.018', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 3, '2018-11-01 18:10:00.018'),
	('Des''ree', 'Logged In', 'First 4', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 19, 'Title 5', 200, '2018-11-01 19:10:00.019', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 4, '2018-11-01 19:10:00.019'),
	('Des''ree', 'Logged In', 'First 0', 'F', 0, 'Summers', 246.30812, 'paid', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 20, 'Title 6', 200, '2018-11-01 20:10:00.02', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 0, '2018-11-01 20:10:00.02'),
	('Des''ree', 'Logged In', 'First 1', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 21, 'Title 0', 200, '2018-11-01 21:10:00.021', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 1, '2018-11-01 21:10:00.021'),
	('Des''ree', 'Logged In', 'First 2', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 22, 'Title 1', 200, '2018-11-01 22:10:00.022', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 2, '2018-11-01 22:10:00.022'),
	('Des''ree', 'Logged In', 'First 3', 'F', 0, 'Summers', 246.30812, 'paid', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 23, 'Title 2', 200, '2018-11-01 23:10:00.023', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 3, '2018-11-01 23:10:00.023'),
	('Des''ree', 'Logged In', 'First 4', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 4, 'Title 4', 200, '2018-11-01 04:10:00.004', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 4, '2018-11-01 04:10:00.004'),
	('Des''ree', 'Logged In', 'First 7', 'F', 90, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 3, 'Title 3', 200, '2018-11-02 03:00:00', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 7, '2018-11-01 23:59:59.999999'),
	('Des''ree', 'Logged In', 'Kaylee', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'Home', 1540344794796, 900, 'You Gotta Be', 200, '2018-11-01 12:30:00', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', NULL, '2018-11-01 12:30:00'),
	('Des''ree', 'Logged In', 'First 2', 'F', 1, 'Summers', 246.30812, 'paid', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'Upgrade', 1540344794796, 900, 'You Gotta Be', 200, '2018-11-01 13:30:00', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 2, '2018-11-01 13:30:00'),
	('Des''ree', 'Logged In', 'First 0', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 100, 'Title 0', 200, '2018-11-02 00:10:00', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 0, '2018-11-02 00:10:00'),
	('Des''ree', 'Logged In', 'First 1', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 101, 'Title 1', 200, '2018-11-02 01:10:00.001', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 1, '2018-11-02 01:10:00.001'),
	('Des''ree', 'Logged In', 'First 2', 'F', 0, 'Summers', 246.30812, 'paid', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 102, 'Title 2', 200, '2018-11-02 02:10:00.002', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 2, '2018-11-02 02:10:00.002'),
	('Des''ree', 'Logged In', 'First 3', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 103, 'Title 3', 200, '2018-11-02 03:10:00.003', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 3, '2018-11-02 03:10:00.003'),
	('Des''ree', 'Logged In', 'First 4', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 104, 'Title 4', 200, '2018-11-02 04:10:00.004', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 4, '2018-11-02 04:10:00.004'),
	('Des''ree', 'Logged In', 'First 0', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 105, 'Title 5', 200, '2018-11-02 05:10:00.005', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 0, '2018-11-02 05:10:00.005'),
	('Des''ree', 'Logged In', 'First 2', 'F', 0, 'Summers', 246.30812, 'paid', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 107, 'Title 0', 200, '2018-11-02 07:10:00.007', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 2, '2018-11-02 07:10:00.007'),
	('Des''ree', 'Logged In', 'First 3', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 108, 'Title 1', 200, '2018-11-02 08:10:00.008', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 3, '2018-11-02 08:10:00.008'),
	('Des''ree', 'Logged In', 'First 4', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 109, 'Title 2', 200, '2018-11-02 09:10:00.009', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 4, '2018-11-02 09:10:00.009'),
	('Des''ree', 'Logged In', 'First 0', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 110, 'Title 3', 200, '2018-11-02 10:10:00.01', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 0, '2018-11-02 10:10:00.01'),
	('Des''ree', 'Logged In', 'First 1', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 111, 'Title 4', 200, '2018-11-02 11:10:00.011', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 1, '2018-11-02 11:10:00.011'),
	('Des''ree', 'Logged In', 'First 2', 'F', 0, 'Summers', 246.30812, 'paid', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 112, 'Title 5', 200, '2018-11-02 12:10:00.012', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 2, '2018-11-02 12:10:00.012'),
	('Des''ree', 'Logged In', 'First 3', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 113, 'Title 6', 200, '2018-11-02 13:10:00.013', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 3, '2018-11-02 13:10:00.013'),
	('Des''ree', 'Logged In', 'First 4', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 114, 'Title 0', 200, '2018-11-02 14:10:00.014', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 4, '2018-11-02 14:10:00.014'),
	('Des''ree', 'Logged In', 'First 0', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 115, 'Title 1', 200, '2018-11-02 15:10:00.015', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 0, '2018-11-02 15:10:00.015'),
	('Des''ree', 'Logged In', 'First 1', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 116, 'Title 2', 200, '2018-11-02 16:10:00.016', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 1, '2018-11-02 16:10:00.016'),
	('Des''ree', 'Logged In', 'First 2', 'F', 0, 'Summers', 246.30812, 'paid', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 117, 'Title 3', 200, '2018-11-02 17:10:00.017', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 2, '2018-11-02 17:10:00.017'),
	('Des''ree', 'Logged In', 'First 3', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 118, 'Title 4', 200, '2018-11-02 18:10:00.018', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 3, '2018-11-02 18:10:00.018'),
	('Des''ree', 'Logged In', 'First 4', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 119, 'Title 5', 200, '2018-11-02 19:10:00.019', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 4, '2018-11-02 19:10:00.019'),
	('Des''ree', 'Logged In', 'First 0', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 120, 'Title 6', 200, '2018-11-02 20:10:00.02', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 0, '2018-11-02 20:10:00.02'),
	('Des''ree', 'Logged In', 'First 1', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 121, 'Title 0', 200, '2018-11-02 21:10:00.021', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 1, '2018-11-02 21:10:00.021'),
	('Des''ree', 'Logged In', 'First 2', 'F', 0, 'Summers', 246.30812, 'paid', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 122, 'Title 1', 200, '2018-11-02 22:10:00.022', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 2, '2018-11-02 22:10:00.022'),
	('Des''ree', 'Logged In', 'First 3', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 123, 'Title 2', 200, '2018-11-02 23:10:00.023', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 3, '2018-11-02 23:10:00.023'),
	('Des''ree', 'Logged In', 'Kaylee', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'Home', 1540344794796, 901, 'You Gotta Be', 200, '2018-11-02 12:30:00', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', NULL, '2018-11-02 12:30:00'),
	('Des''ree', 'Logged In', 'First 2', 'F', 1, 'Summers', 246.30812, 'paid', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'Upgrade', 1540344794796, 901, 'You Gotta Be', 200, '2018-11-02 13:30:00', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 2, '2018-11-02 13:30:00'),
	('Des''ree', 'Logged In', 'First 1', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 106, 'Title 6', 200, '2018-11-02 06:10:00.006', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 1, '2018-11-02 06:10:00.006'),
	('Des''ree', 'Logged In', 'First 2', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 207, 'Title 0', 200, '2018-11-03 07:10:00.007', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 2, '2018-11-03 07:10:00.007'),
	('Des''ree', 'Logged In', 'First 0', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 200, 'Title 0', 200, '2018-11-03 00:10:00', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 0, '2018-11-03 00:10:00'),
	('Des''ree', 'Logged In', 'First 1', 'F', 0, 'Summers', 246.30812, 'paid', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 201, 'Title 1', 200, '2018-11-03 01:10:00.001', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 1, '2018-11-03 01:10:00.001'),
	('Des''ree', 'Logged In', 'First 2', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 202, 'Title 2', 200, '2018-11-03 02:10:00.002', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 2, '2018-11-03 02:10:00.002'),
	('Des''ree', 'Logged In', 'First 3', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 203, 'Title 3', 200, '2018-11-03 03:10:00.003', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 3, '2018-11-03 03:10:00.003'),
	('Des''ree', 'Logged In', 'First 4', 'F', 0, 'Summers', 246.30812, 'paid', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 204, 'Title 4', 200, '2018-11-03 04:10:00.004', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 4, '2018-11-03 04:10:00.004'),
	('Des''ree', 'Logged In', 'First 0', 'F', 0, 'Summers', 246.30812, 'free', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 205, 'Title 5', 200, '2018-11-03 05:10:00.005', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 0, '2018-11-03 05:10:00.005'),
	('Des''ree', 'Logged In', 'First 1', 'F', 0, 'Summers', 246.30812, 'paid', 'Phoenix-Mesa-Scottsdale, AZ', 'PUT', 'NextSong', 1540344794796, 206, 'Title 6', 200, '2018-11-03 06:10:00.006', '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"', 1, '2018-11-03 06:10:00.006');
INSERT INTO public.staging_songs VALUES
	(1, 'AR0', NULL, NULL, 'London', 'Des''ree', 'SO0', 'Title 0', 246.30812, 2000, 2),
	(1, 'AR1', NULL, NULL, 'London', 'Desree', 'SO1', 'Title 1', 246.30812, 2020, 2),
	(1, 'AR1', NULL, NULL, 'London', 'Des''ree', 'SO3', 'Title 3', 246.30812, 2003, 2);
INSERT INTO public.stl_load_errors VALUES
	(10, 0, 16815, '2026-11-22 00:11:03.225082', 24993, 7, 's3://baseline/song_data/A/A/A/invalid.json                                                                                                                                                                                                              ', 1, 'year                                                                                                                           ', 'int4      ', '          ', 0, '{"artist_id": "AR1", "artist_latitude": null, "artist_location": "London", "artist_longitude": null, "artist_name": "Des''ree", "duration": 246.30812, "num_songs": 1, "song_id": "SO4", "title": "Title 4", "year": "in spring"}                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                ', 'in spring                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                       ', 1207, 'Invalid digit, Value ''i'', Pos 0, Type: Integer                                                      ', 0, 0, 0);
INSERT INTO public."time" VALUES
	('2018-11-01 00:10:00', 0, 1, 44, 11, 2018, 4, '2018-11-01 00:10:00', ''),
	('2018-11-01 01:10:00.001', 1, 1, 44, 11, 2018, 4, '2018-11-01 01:10:00.001', ''),
	('2018-11-01 02:10:00.002', 2, 1, 44, 11, 2018, 4, '2018-11-01 02:10:00.002', ''),
	('2018-11-01 03:10:00.003', 3, 1, 44, 11, 2018, 4, '2018-11-01 03:10:00.003', ''),
	('2018-11-01 04:10:00.004', 4, 1, 44, 11, 2018, 4, '2018-11-01 04:10:00.004', ''),
	('2018-11-01 05:10:00.005', 5, 1, 44, 11, 2018, 4, '2018-11-01 05:10:00.005', ''),
	('2018-11-01 06:10:00.006', 6, 1, 44, 11, 2018, 4, '2018-11-01 06:10:00.006', ''),
	('2018-11-01 07:10:00.007', 7, 1, 44, 11, 2018, 4, '2018-11-01 07:10:00.007', ''),
	('2018-11-01 08:10:00.008', 8, 1, 44, 11, 2018, 4, '2018-11-01 08:10:00.008', ''),
	('2018-11-01 09:10:00.009', 9, 1, 44, 11, 2018, 4, '2018-11-01 09:10:00.009', ''),
	('2018-11-01 10:10:00.01', 10, 1, 44, 11, 2018, 4, '2018-11-01 10:10:00.01', ''),
	('2018-11-01 11:10:00.011', 11, 1, 44, 11, 2018, 4, '2018-11-01 11:10:00.011', ''),
	('2018-11-01 12:10:00.012', 12, 1, 44, 11, 2018, 4, '2018-11-01 12:10:00.012', ''),
	('2018-11-01 13:10:00.013', 13, 1, 44, 11, 2018, 4, '2018-11-01 13:10:00.013', ''),
	('2018-11-01 14:10:00.014', 14, 1, 44, 11, 2018, 4, '2018-11-01 14:10:00.014', ''),
	('2018-11-01 15:10:00.015', 15, 1, 44, 11, 2018, 4, '2018-11-01 15:10:00.015', ''),
	('2018-11-01 16:10:00.016', 16, 1, 44, 11, 2018, 4, '2018-11-01 16:10:00.016', ''),
	('2018-11-01 17:10:00.017', 17, 1, 44, 11, 2018, 4, '2018-11-01 17:10:00.017', ''),
	('2018-11-01 18:10:00.018', 18, 1, 44, 11, 2018, 4, '2018-11-01 18:10:00.018', ''),
	('2018-11-01 19:10:00.019', 19, 1, 44, 11, 2018, 4, '2018-11-01 19:10:00.019', ''),
	('2018-11-01 20:10:00.02', 20, 1, 44, 11, 2018, 4, '2018-11-01 20:10:00.02', ''),
	('2018-11-01 21:10:00.021', 21, 1, 44, 11, 2018, 4, '2018-11-01 21:10:00.021', ''),
	('2018-11-01 22:10:00.022', 22, 1, 44, 11, 2018, 4, '2018-11-01 22:10:00.022', ''),
	('2018-11-01 23:10:00.023', 23, 1, 44, 11, 2018, 4, '2018-11-01 23:10:00.023', ''),
	('2018-11-02 03:00:00', 3, 2, 44, 11, 2018, 5, '2018-11-01 23:59:59.999999', ''),
	('2018-11-02 00:10:00', 0, 2, 44, 11, 2018, 5, '2018-11-02 00:10:00', ''),
	('2018-11-02 01:10:00.001', 1, 2, 44, 11, 2018, 5, '2018-11-02 01:10:00.001', ''),
	('2018-11-02 02:10:00.002', 2, 2, 44, 11, 2018, 5, '2018-11-02 02:10:00.002', ''),
	('2018-11-02 03:10:00.003', 3, 2, 44, 11, 2018, 5, '2018-11-02 03:10:00.003', ''),
	('2018-11-02 04:10:00.004', 4, 2, 44, 11, 2018, 5, '2018-11-02 04:10:00.004', ''),
	('2018-11-02 05:10:00.005', 5, 2, 44, 11, 2018, 5, '2018-11-02 05:10:00.005', ''),
	('2018-11-02 07:10:00.007', 7, 2, 44, 11, 2018, 5, '2018-11-02 07:10:00.007', ''),
	('2018-11-02 08:10:00.008', 8, 2, 44, 11, 2018, 5, '2018-11-02 08:10:00.008', ''),
	('2018-11-02 09:10:00.009', 9, 2, 44, 11, 2018, 5, '2018-11-02 09:10:00.009', ''),
	('2018-11-02 10:10:00.01', 10, 2, 44, 11, 2018, 5, '2018-11-02 10:10:00.01', ''),
	('2018-11-02 11:10:00.011', 11, 2, 44, 11, 2018, 5, '2018-11-02 11:10:00.011', ''),
	('2018-11-02 12:10:00.012', 12, 2, 44, 11, 2018, 5, '2018-11-02 12:10:00.012', ''),
	('2018-11-02 13:10:00.013', 13, 2, 44, 11, 2018, 5, '2018-11-02 13:10:00.013', ''),
	('2018-11-02 14:10:00.014', 14, 2, 44, 11, 2018, 5, '2018-11-02 14:10:00.014', ''),
	('2018-11-02 15:10:00.015', 15, 2, 44, 11, 2018, 5, '2018-11-02 15:10:00.015', ''),
	('2018-11-02 16:10:00.016', 16, 2, 44, 11, 2018, 5, '2018-11-02 16:10:00.016', ''),
	('2018-11-02 17:10:00.017', 17, 2, 44, 11, 2018, 5, '2018-11-02 17:10:00.017', ''),
	('2018-11-02 18:10:00.018', 18, 2, 44, 11, 2018, 5, '2018-11-02 18:10:00.018', ''),
	('2018-11-02 19:10:00.019', 19, 2, 44, 11, 2018, 5, '2018-11-02 19:10:00.019', ''),
	('2018-11-02 20:10:00.02', 20, 2, 44, 11, 2018, 5, '2018-11-02 20:10:00.02', ''),
	('2018-11-02 21:10:00.021', 21, 2, 44, 11, 2018, 5, '2018-11-02 21:10:00.021', ''),
	('2018-11-02 22:10:00.022', 22, 2, 44, 11, 2018, 5, '2018-11-02 22:10:00.022', ''),
	('2018-11-02 23:10:00.023', 23, 2, 44, 11, 2018, 5, '2018-11-02 23:10:00.023', ''),
	('2018-11-02 06:10:00.006', 6, 2, 44, 11, 2018, 5, '2018-11-02 06:10:00.006', ''),
	('2018-11-03 07:10:00.007', 7, 3, 44, 11, 2018, 6, '2018-11-03 07:10:00.007', ''),
	('2018-11-03 06:10:00.006', 6, 3, 44, 11, 2018, 6, '2018-11-03 06:10:00.006', ''),
	('2018-11-03 04:10:00.004', 4, 3, 44, 11, 2018, 6, '2018-11-03 04:10:00.004', ''),
	('2018-11-03 01:10:00.001', 1, 3, 44, 11, 2018, 6, '2018-11-03 01:10:00.001', ''),
	('2018-11-03 00:10:00', 0, 3, 44, 11, 2018, 6, '2018-11-03 00:10:00', ''),
	('2018-11-03 02:10:00.002', 2, 3, 44, 11, 2018, 6, '2018-11-03 02:10:00.002', ''),
	('2018-11-03 05:10:00.005', 5, 3, 44, 11, 2018, 6, '2018-11-03 05:10:00.005', ''),
	('2018-11-03 03:10:00.003', 3, 3, 44, 11, 2018, 6, '2018-11-03 03:10:00.003', '');
INSERT INTO public.users VALUES
	(7, 'First 7', 'Summers', 'F', 'free', '2018-11-01 23:59:59.999999', '20181102030000000000000000906634c340cb18dda85f4006476ae4efc1'),
	(2, 'First 2', 'Summers', 'F', 'free', '2018-11-03 07:10:00.007', '2018110307100000700000000000f937d2aa021573a41d25e9ff39de4e8a'),
	(0, 'First 0', 'Summers', 'F', 'free', '2018-11-03 05:10:00.005', '2018110305100000500000000000bbb85bb12d0f66909c541bc16a50b201'),
	(1, 'First 1', 'Summers', 'F', 'paid', '2018-11-03 06:10:00.006', '2018110306100000600000000000aee0660263ba4a8c1b7e512809548dc3'),
	(3, 'First 3', 'Summers', 'F', 'free', '2018-11-03 03:10:00.003', '2018110303100000300000000000ace798da5ae3c55c9ca609a6b0394c76'),
	(4, 'First 4', 'Summers', 'F', 'paid', '2018-11-03 04:10:00.004', '201811030410000040000000000072d33cfa4c5cc8164a8918ac3d37061f');
SELECT pg_catalog.setval('public.copy_query_id', 14, true);
ALTER TABLE ONLY public.artists
    ADD CONSTRAINT artists_pkey PRIMARY KEY (artist_id);
ALTER TABLE ONLY public.songplays
    ADD CONSTRAINT songplays_pkey PRIMARY KEY (songplay_id);
ALTER TABLE ONLY public.songs
    ADD CONSTRAINT songs_pkey PRIMARY KEY (song_id);
ALTER TABLE ONLY public."time"
    ADD CONSTRAINT time_pkey PRIMARY KEY (start_time);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (user_id);
CREATE INDEX backfill_summaries_sortkey ON operations.backfill_summaries USING btree (dag_id, summarized_until);
CREATE INDEX data_quality_results_sortkey ON operations.data_quality_results USING btree (checked_at);
CREATE INDEX loaded_batches_sortkey ON operations.loaded_batches USING btree (table_name, batch_id);
CREATE INDEX rejected_rows_sortkey ON operations.rejected_rows USING btree (table_name, period_start);
CREATE INDEX staged_batches_sortkey ON operations.staged_batches USING btree (table_name, batch_id);
CREATE INDEX staged_objects_sortkey ON operations.staged_objects USING btree (table_name, batch_id);
CREATE INDEX staged_periods_sortkey ON operations.staged_periods USING btree (table_name, period_start);
CREATE INDEX task_failures_sortkey ON operations.task_failures USING btree (failed_at);
CREATE INDEX artists_batch_id ON public.artists USING btree (batch_id);
CREATE INDEX songplays_interval_time ON public.songplays USING btree (interval_time);
CREATE INDEX songplays_song_batch_id ON public.songplays USING btree (song_batch_id) WHERE (song_batch_id IS NOT NULL);
CREATE INDEX songplays_sortkey ON public.songplays USING btree (start_time);
CREATE INDEX songs_batch_id ON public.songs USING btree (batch_id);
CREATE INDEX staging_events_play ON public.staging_events USING btree (sessionid, iteminsession);
CREATE INDEX staging_events_song ON public.staging_events USING btree (rtrim((song)::text), rtrim((artist)::text));
CREATE INDEX staging_events_sortkey ON public.staging_events USING btree (interval_time);
CREATE INDEX staging_events_ts ON public.staging_events USING btree (ts);
CREATE INDEX staging_events_userid ON public.staging_events USING btree (userid);
CREATE INDEX staging_songs_artist_id ON public.staging_songs USING btree (artist_id);
CREATE INDEX staging_songs_song_id ON public.staging_songs USING btree (song_id);
CREATE INDEX staging_songs_sortkey ON public.staging_songs USING btree (batch_id);
CREATE INDEX staging_songs_title ON public.staging_songs USING btree (rtrim((title)::text), rtrim((artist_name)::text), duration);
CREATE INDEX time_interval_time ON public."time" USING btree (interval_time);
CREATE INDEX users_interval_time ON public.users USING btree (interval_time);
