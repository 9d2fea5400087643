"""Runs that are late."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger(__name__)

ON_TIME = "the run is on time"


def deadline(interval: timedelta = timedelta(hours=1), aws_conn_id: str | None = "aws") -> DeadlineAlert:
    """Return the deadline of a DAG's runs: who is not done in time is told of, once, until a run is checked again.

    Airflow's triggerer runs what it calls. Backfills are never late.

    :param interval: how long a run may take, from when it is queued.
    :param aws_conn_id: the Airflow connection for Amazon SNS.
    """
    minutes = int(interval.total_seconds() // 60)
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=interval,
        callback=AsyncCallback(late, kwargs={"minutes": minutes, "aws_conn_id": aws_conn_id}),
        name=ON_TIME,
    )


async def late(*, minutes: int, aws_conn_id: str | None, context: Mapping[str, Any]) -> None:
    """Tell that a run is late; Airflow calls this when a deadline has passed.

    :param minutes: that the run was given.
    :param context: what Airflow tells of it: ``dag_run``, as the REST API does, and ``deadline``.
    """
    from sparkify.alerts.run import BACKFILL

    dag_run = context["dag_run"]
    # A run that has failed before its deadline was told of then.
    if dag_run["run_type"] == BACKFILL or dag_run["state"] not in ("queued", "running"):
        return
    # In a thread: the triggerer's loop is not to wait for a mail server.
    await asyncio.to_thread(_tell, dag_run, minutes, aws_conn_id)


def _tell(dag_run: Mapping[str, Any], minutes: int, aws_conn_id: str | None) -> None:
    from sparkify.alerts.incidents import DEADLINE
    from sparkify.alerts.run import Run
    from sparkify.alerts.tell import tell
    from sparkify.quality.outcome import Outcome

    queued = datetime.fromisoformat(dag_run["queued_at"])
    outcome = Outcome(
        table=dag_run["dag_id"],
        check=ON_TIME,
        kind=DEADLINE,
        severity="error",
        scope="interval",
        passed=False,
        observed=f"{dag_run['state']}, {minutes} minutes after it was queued at {queued:%Y-%m-%d %H:%M} UTC",
        expected=f"done within {minutes} minutes",
        failing_rows=0,
        total_rows=0,
        sample=[],
        why="who asks the warehouse now gets answers that are older than they believe.",
        remedy="open the run and see which task is waiting or running; a paused cluster, a full pool and a large file "
        "are the usual reasons.",
        seconds=0,
    )
    try:
        tell(Run.of_deadline(dag_run), [outcome], task_id="", aws_conn_id=aws_conn_id)
    except Exception as error:  # noqa: BLE001 - see AlertNotifier
        log.error("No alert could be made of the late run %s: %s", dag_run["dag_run_id"], error)
