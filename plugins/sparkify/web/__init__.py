"""The application of the warehouse page, in Airflow's API server. The plugin is ``plugins/sparkify_page.py``."""
