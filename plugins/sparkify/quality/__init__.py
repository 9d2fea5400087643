"""Data quality: checks are declared in YAML, evaluated in the database, recorded, and alerted."""
