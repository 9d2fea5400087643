"""Programs of the containers in docker-compose.yaml, besides Airflow."""
