"""The warehouse page: what Airflow's API server serves of it. The plugin is ``plugins/sparkify_page.py``."""
