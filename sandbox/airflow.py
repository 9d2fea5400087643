"""Run the DAG through Airflow in this process, without a server."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pluggy import HookimplMarker

from sandbox import servers

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

ROOT = Path(__file__).parents[1]
DAG_ID = "sparkify_warehouse"
AUDIT_ID = "sparkify_audit"
REPORT_ID = "sparkify_report"
RECONCILE_ID = "sparkify_reconcile"

# airflow.listeners.hookimpl, without importing Airflow before its environment is set
hookimpl = HookimplMarker("airflow")


def environment(
    home: Path, *, metadata: str, postgres: servers.PostgresServer, database: str, s3: servers.S3Server, bucket: str
) -> dict[str, str]:
    """Return the environment variables of an Airflow that runs this project on the local servers.

    :param home: Airflow's folder.
    :param metadata: SQLAlchemy's URL of its metadata database.
    :param postgres: the server of the warehouse.
    :param database: the warehouse.
    :param s3: the server of the source files.
    :param bucket: their bucket.
    """
    return {**settings(home, metadata), "AIRFLOW_VAR_SPARKIFY_BUCKET": bucket, **connections(postgres, database, s3)}


def settings(home: Path, metadata: str) -> dict[str, str]:
    """Return the environment variables that Airflow reads once, when it is imported; see :func:`environment`."""
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata,
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
    }


def sqlalchemy_url(uri: str) -> str:
    """Return SQLAlchemy's form of the URI of a PostgreSQL database, with the installed driver."""
    return uri.replace("postgresql:", "postgresql+psycopg:", 1)


def connections(postgres: servers.PostgresServer, database: str, s3: servers.S3Server) -> dict[str, str]:
    """Return the environment variables that define the connections ``redshift`` and ``aws`` on the local servers.

    :param database: the warehouse.
    """
    return {
        "AIRFLOW_CONN_REDSHIFT": postgres_connection(postgres, database),
        "AIRFLOW_CONN_AWS": aws_connection(s3.endpoint),
    }


def postgres_connection(server: servers.PostgresServer, database: str) -> str:
    """Return a connection to a database of a local server, as JSON."""
    return json.dumps({"conn_type": "postgres", "host": server.host, "login": server.user, "schema": database})


def aws_connection(endpoint: str, *, secret_key: str = servers.SECRET_KEY, **extra: Any) -> str:
    """Return a connection to a local stand-in for AWS, as JSON.

    :param endpoint: URL of its services.
    :param extra: further settings, such as ``service_config``.
    """
    return json.dumps(
        {
            "conn_type": "aws",
            "login": servers.ACCESS_KEY,
            "password": secret_key,
            "extra": {"endpoint_url": endpoint, "region_name": servers.REGION, **extra},
        }
    )


def migrate() -> None:
    """Create or upgrade the metadata database."""
    from airflow.utils.db import check_migrations, initdb

    try:
        check_migrations(0)
    except Exception:  # noqa: BLE001 - the migration repairs any problem or reports it
        initdb()


@dataclass
class TaskResult:
    """The result of a task.

    :param state: ``success``, ``skipped`` or ``failed``.
    :param result: what the task returned.
    :param checks: the results of the data quality checks.
    :param error: why the task failed; empty if it did not.
    """

    task_id: str
    state: str
    result: dict[str, Any] = field(default_factory=dict)
    checks: list[dict[str, Any]] = field(default_factory=list)
    error: str = ""


class TaskListener:
    """Passes each task that ends to a function."""

    def __init__(self, report: Callable[[TaskResult], None]) -> None:
        self._report = report

    @hookimpl
    def on_task_instance_running(self) -> None:
        servers.leave_if_signalled()

    @hookimpl
    def on_task_instance_success(self, task_instance: RuntimeTaskInstance) -> None:
        self._report(TaskResult(task_instance.task_id, "success", *self._pull(task_instance)))

    @hookimpl
    def on_task_instance_skipped(self, task_instance: RuntimeTaskInstance) -> None:
        self._report(TaskResult(task_instance.task_id, "skipped"))

    @hookimpl
    def on_task_instance_failed(self, task_instance: RuntimeTaskInstance, error: BaseException | str | None) -> None:
        if isinstance(error, SystemExit | KeyboardInterrupt):
            raise error  # Airflow fails the task that a signal interrupts, and would go on
        self._report(TaskResult(task_instance.task_id, "failed", *self._pull(task_instance), str(error)))

    @staticmethod
    def _pull(task_instance: RuntimeTaskInstance) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        def pull(key: str) -> Any:
            return task_instance.xcom_pull(task_ids=task_instance.task_id, key=key)

        return pull("return_value") or {}, pull("checks") or []


def load(
    report: Callable[[TaskResult], None], *, logical_date: datetime | None = None, conf: dict[str, Any] | None = None
) -> bool:
    """Run the DAG once, and return whether it succeeded.

    :param report: called with each task that ends.
    :param logical_date: the date of the run; it gets the last interval that ended by then.
    :param conf: its params.
    """
    from airflow.sdk.listener import get_listener_manager

    dag = importlib.import_module(DAG_ID).dag
    for task in dag.tasks:
        task.retries = 0  # interactive: report errors immediately
        # Airflow's handler of SIGTERM, which replaces that of servers.exit_on_signals(), calls it.
        task.on_kill = servers.leave
    dag.deadline = None  # interactive; and Airflow 3.3.2 cannot test a DAG with a deadline
    manager = get_listener_manager()
    listener = TaskListener(report)
    manager.add_listener(listener)
    try:
        run = dag.test(logical_date=logical_date, run_conf=conf)
    finally:
        manager.clear()
        servers.leave_if_signalled()
    return bool(run.state == "success")
