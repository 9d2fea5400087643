-- PostgreSQL only: Redshift has no indexes.
-- Sort keys and primary keys become indexes automatically; these serve the other lookups of an hourly load.

-- The rows of an interval, or of a batch.
CREATE INDEX IF NOT EXISTS songplays_interval_time ON songplays (interval_time);
CREATE INDEX IF NOT EXISTS users_interval_time ON users (interval_time);
CREATE INDEX IF NOT EXISTS time_interval_time ON time (interval_time);
CREATE INDEX IF NOT EXISTS users_history_interval_time ON users_history (interval_time);
CREATE INDEX IF NOT EXISTS users_history_last_interval_time ON users_history (last_interval_time)
WHERE interval_time < last_interval_time;
CREATE INDEX IF NOT EXISTS songs_batch_id ON songs (batch_id);
CREATE INDEX IF NOT EXISTS artists_batch_id ON artists (batch_id);

-- The song of a play, and the plays of a song. Most plays have none. The length comes first: few songs share one, and
-- numbers are sorted in half of the time of texts.
CREATE INDEX IF NOT EXISTS staging_events_length_song ON staging_events (length, RTRIM(song));
CREATE INDEX IF NOT EXISTS songplays_song_batch_id ON songplays (song_batch_id) WHERE song_batch_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS staging_songs_title ON staging_songs (RTRIM(title), RTRIM(artist_name), duration);

-- Other candidates of a key that has lost its source row.
CREATE INDEX IF NOT EXISTS staging_events_play ON staging_events (sessionid, iteminsession);
CREATE INDEX IF NOT EXISTS staging_events_user_time ON staging_events (userid, ts);
CREATE INDEX IF NOT EXISTS staging_events_ts ON staging_events (ts);
CREATE INDEX IF NOT EXISTS staging_songs_song_id ON staging_songs (song_id);
CREATE INDEX IF NOT EXISTS staging_songs_artist_id ON staging_songs (artist_id);

-- The events of a group: of a day, of a user on a day, of a song on a day. The primary key serves those of a session.
CREATE INDEX IF NOT EXISTS events_day ON events (day, user_id);
CREATE INDEX IF NOT EXISTS events_song ON events
(day, MD5(MD5(COALESCE(RTRIM(song), '')) || MD5(COALESCE(RTRIM(artist), ''))))
WHERE page = 'NextSong';

-- The days of a song in a month.
CREATE INDEX IF NOT EXISTS daily_songs_month ON daily_songs
(song_key, CAST(DATE_TRUNC('month', CAST(day AS TIMESTAMP)) AS DATE));
