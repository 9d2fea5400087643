"""The history of failed tasks, in operations.task_failures."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sparkify.alerts.events import TaskFailure
    from sparkify.dag.run import DagRunInfo

log = logging.getLogger(__name__)

FAILURES = "operations.task_failures"
COLUMNS = (
    "dag_id", "run_id", "run_type", "task_id", "try_number", "interval_start", "interval_end", "failed_at", "error",
)  # fmt: skip


def record(run: DagRunInfo, failure: TaskFailure, redshift_conn_id: str) -> bool:
    """Write a failed task to the history; return whether it was written. An error is logged only.

    :param redshift_conn_id: the warehouse, which may be the reason why the task has failed.
    """
    from sparkify.warehouse import connect

    span = (run.interval.start.replace(tzinfo=None), run.interval.end.replace(tzinfo=None)) if run.interval else None
    row = (
        run.dag_id, run.run_id, run.run_type, failure.task_id, failure.try_number, *(span or (None, None)),
        datetime.now(UTC).replace(tzinfo=None), failure.error.splitlines()[0],
    )  # fmt: skip
    try:
        with connect(redshift_conn_id) as warehouse:
            warehouse.transaction(lambda: warehouse.insert(FAILURES, COLUMNS, [row]), lock=[FAILURES])
    except Exception as error:  # noqa: BLE001 - whatever it is, the alert is sent
        log.warning("The failed task could not be written to %s: task=%s error=%s", FAILURES, failure.task_id, error)
        return False
    return True
