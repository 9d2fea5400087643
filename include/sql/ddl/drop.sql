-- Everything that the other files of this folder create.
DROP TABLE IF EXISTS staging_events;
DROP TABLE IF EXISTS staging_songs;
DROP TABLE IF EXISTS songplays;
DROP TABLE IF EXISTS users;
DROP TABLE IF EXISTS songs;
DROP TABLE IF EXISTS artists;
DROP TABLE IF EXISTS time;
DROP TABLE IF EXISTS operations.staged_objects;
DROP TABLE IF EXISTS operations.staged_batches;
DROP TABLE IF EXISTS operations.staged_periods;
DROP TABLE IF EXISTS operations.loaded_batches;
-- The history of data quality stays, and of who was told of it.
DROP TABLE IF EXISTS operations.rejected_rows;
