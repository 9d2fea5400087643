"""Airflow's own overhead: the warehouse's DAG with tasks that do nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow.sdk import DAG, BaseOperator, CronDataIntervalTimetable

if TYPE_CHECKING:
    from airflow.sdk import Context


class Idle(BaseOperator):
    """Do nothing, in a process like that of any other task."""

    def execute(self, context: Context) -> None:
        """Do nothing."""


with DAG(
    dag_id="idle_hours",
    schedule=CronDataIntervalTimetable("@hourly", timezone="UTC"),
    start_date=datetime(2018, 11, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=6,
):
    tasks = [Idle(task_id=f"task_{number}") for number in range(1, 19)]
    tasks[0] >> tasks[1:3]
    tasks[2] >> tasks[3:5]
    [tasks[1], *tasks[3:5]] >> tasks[5] >> tasks[6:8]
    tasks[1] >> tasks[8:10]
    tasks[9] >> tasks[10:15]
    [*tasks[6:9], *tasks[10:15]] >> tasks[15] >> tasks[16]
