"""Bring a staging table up to date with files in S3: by interval or by object."""
