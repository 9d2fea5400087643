"""Data quality: checks are declared in files, measured in the database, remembered, and told to people."""
