"""A warehouse without AWS: an embedded PostgreSQL, a local S3 server, generated data."""
