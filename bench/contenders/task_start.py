"""The start of a task, from the fork of its process to the result of its first statement."""

from __future__ import annotations

import gc
import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def prepare(job: Mapping[str, Any]) -> Callable[[], int]:
    """Import the packages that a process imports before it forks tasks.

    :param job: with ``ours``: whether to start a task of this project, or a minimal task that queries with Airflow's
        own hook.
    """
    os.environ.update(job["environment"])

    import airflow.jobs.scheduler_job_runner
    import airflow.sdk.execution_time.task_runner  # noqa: F401
    from airflow.providers.postgres.hooks.postgres import PostgresHook

    from airflow_local_settings import preload

    preload()
    gc.collect()
    gc.freeze()  # as LocalExecutor does

    def ours() -> int:
        importlib.import_module("sparkify_warehouse")
        from sparkify.warehouse import connect

        with connect("redshift", "aws") as warehouse:
            return len(warehouse.query("SELECT 1"))

    def bare() -> int:
        importlib.import_module("bench.dags.idle_hours")
        with PostgresHook("redshift").get_conn() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return len(cursor.fetchall())

    return ours if job["ours"] else bare
