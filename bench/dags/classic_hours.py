"""The classic design on Airflow 3: each hour stages all files again, truncates the star schema and inserts all rows."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from airflow.sdk import DAG, CronDataIntervalTimetable, task

from sandbox.lab import TABLES

SCRIPT = Path(__file__).resolve().parents[1] / "classic_reload.sql"
EVENTS = ["FORMAT AS JSON 'auto ignorecase'", "TIMEFORMAT 'epochmillisecs'"]
SONGS = ["FORMAT AS JSON 'auto'"]


with DAG(
    dag_id="classic_hours",
    schedule=CronDataIntervalTimetable("@hourly", timezone="UTC"),
    start_date=datetime(2018, 11, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,  # runs that truncate cannot run concurrently
):

    @task
    def stage(table: str, source: str, options: list[str]) -> int:
        """Empty a staging table and COPY all files into it."""
        from airflow.providers.postgres.hooks.postgres import PostgresHook

        from sparkify.warehouse import connect

        PostgresHook("classic").run(f"TRUNCATE {table}")
        with connect("classic", "aws") as warehouse:
            copy = partial(warehouse.copy, f"{table} ({TABLES[table]})", source, options)
            return warehouse.transaction(copy, lock=[table]).rows

    @task
    def reload() -> int:
        """Truncate and insert the star schema."""
        from airflow.providers.postgres.hooks.postgres import PostgresHook

        with PostgresHook("classic").get_conn() as connection, connection.cursor() as cursor:
            cursor.execute(SCRIPT.read_text().encode())
            cursor.execute("SELECT COUNT(*) FROM songplays")
            return int(cursor.fetchone()[0])

    @task
    def check(rows: int) -> None:
        """Fail if nothing was loaded, the usual check in such projects."""
        if not rows:
            raise ValueError("songplays is empty: check that the files were staged.")

    bucket = "s3://{{ var.value.sparkify_bucket }}"
    plays = reload()
    [
        stage.override(task_id="stage_events")("staging_events", f"{bucket}/log_data/", EVENTS),
        stage.override(task_id="stage_songs")("staging_songs", f"{bucket}/song_data/", SONGS),
    ] >> plays
    check(plays)  # type: ignore[arg-type] # an XComArg, which Airflow resolves
