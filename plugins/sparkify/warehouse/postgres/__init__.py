"""PostgreSQL in Redshift's place."""
