"""The laptop's stand-ins for the cloud: an embedded PostgreSQL, a local S3 server, generated data."""
