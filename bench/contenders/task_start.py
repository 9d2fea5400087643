"""What the project adds to the start of a task, up to its first statement.

The process has done what any task on this database does: Airflow's task runner is imported, as it is where tasks run,
and its hook has connected. What is measured comes on top: the DAG file, the project's session, its SQL translation.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def prepare(job: Mapping[str, Any]) -> Callable[[], int]:
    """Do what any task does."""
    os.environ.update(job["environment"])

    import airflow.sdk.execution_time.task_runner  # noqa: F401
    from airflow.providers.postgres.hooks.postgres import PostgresHook

    PostgresHook("redshift").get_conn().close()

    def run() -> int:
        importlib.import_module("sparkify_warehouse")
        from sparkify.warehouse import connect

        with connect("redshift", "aws") as warehouse:
            warehouse.script("SELECT 1")
        return 1

    return run
