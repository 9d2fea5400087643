"""Alerts on late runs."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sparkify.quality.outcome import Outcome

log = logging.getLogger(__name__)

ON_TIME = "the run is on time"


def deadline(interval: timedelta = timedelta(hours=1), aws_conn_id: str | None = "aws") -> DeadlineAlert:
    """Return the deadline of a DAG's runs: alert once when a run misses it, until a run is checked again.

    Airflow's triggerer runs the callback. The deadline of a cleared run starts again. Backfill runs are never late.

    :param interval: how long a run may take, from when it is queued.
    :param aws_conn_id: the Airflow connection for Amazon SNS.
    """
    seconds = interval.total_seconds()
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        # Seconds, which Airflow stored before 3.3 and still reads. With a timedelta Airflow 3.3.2 cannot clear a run
        # whose deadline is pending: https://github.com/apache/airflow/issues/70368.
        interval=seconds,  # type: ignore[arg-type]
        callback=AsyncCallback(late, kwargs={"minutes": seconds / 60, "aws_conn_id": aws_conn_id}),
        name=ON_TIME,
    )


async def late(*, minutes: float, aws_conn_id: str | None, context: Mapping[str, Any]) -> None:
    """Report a late run; Airflow calls this when a deadline is missed.

    :param minutes: the time limit of the run.
    :param context: Airflow's context: ``dag_run``, in the REST API's form, and ``deadline``.
    """
    # In a thread, so that a mail server does not block the triggerer's event loop.
    await asyncio.to_thread(_tell, context["dag_run"], minutes, aws_conn_id)


def _tell(dag_run: Mapping[str, Any], minutes: float, aws_conn_id: str | None) -> None:
    from sparkify.alerts import state
    from sparkify.alerts.run import BACKFILL, Run
    from sparkify.alerts.tell import tell

    try:
        run = Run.of_deadline(dag_run)
        if run.run_type == BACKFILL or dag_run["state"] == "success":
            return
        # Airflow calls no callback if a task's process was killed. Then this is the first alert.
        if dag_run["state"] == "failed" and any(known.saw(run.interval) for known in state.read(run.dag_id).values()):
            return
        tell(run, [_outcome(dag_run, minutes)], task_id="", aws_conn_id=aws_conn_id)
    except Exception:
        # As in AlertNotifier: no alert is worth another failure.
        log.exception("Could not send the alert of a late run: run_id=%s", dag_run["dag_run_id"])


def _outcome(dag_run: Mapping[str, Any], minutes: float) -> Outcome:
    from sparkify.alerts.incidents import DEADLINE
    from sparkify.quality.outcome import Outcome

    queued = datetime.fromisoformat(dag_run["queued_at"])
    return Outcome(
        table=dag_run["dag_id"],
        check=ON_TIME,
        kind=DEADLINE,
        severity="error",
        scope="interval",
        passed=False,
        observed=f"{dag_run['state']}, {minutes:g} minutes after it was queued at {queued:%Y-%m-%d %H:%M} UTC",
        expected=f"done within {minutes:g} minutes",
        failing_rows=0,
        total_rows=0,
        sample=[],
        why="Queries on the warehouse return stale data.",
        remedy="Open the run and check which task is queued, running or failed. Usual causes: a paused cluster, a full "
        "pool, a large file.",
        seconds=0,
    )
