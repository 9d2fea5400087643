"""Alerts on late runs."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from sparkify.alerts.events import LateRun

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger(__name__)


def deadline(interval: timedelta = timedelta(hours=1), aws_conn_id: str | None = "aws") -> DeadlineAlert:
    """Return the deadline of a DAG's runs: alert once when a run misses it.

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
        name=LateRun.key,
    )


async def late(*, minutes: float, aws_conn_id: str | None, context: Mapping[str, Any]) -> None:
    """Report a late run; Airflow calls this when a deadline is missed.

    :param minutes: the time limit of the run.
    :param context: Airflow's context: ``dag_run``, in the REST API's form, and ``deadline``.
    """
    # In a thread, so that a mail server does not block the triggerer's event loop.
    await asyncio.to_thread(_report, context["dag_run"], minutes, aws_conn_id)


def _report(dag_run: Mapping[str, Any], minutes: float, aws_conn_id: str | None) -> None:
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    from sparkify.alerts.dispatch import dispatch
    from sparkify.alerts.incidents import Outcome
    from sparkify.dag.run import BACKFILL, DagRunInfo

    try:
        run = DagRunInfo.of_deadline(dag_run)
        # It may have ended since the deadline was missed. A failed run was reported when it failed.
        found: Any = RuntimeTaskInstance.get_dagrun_state(run.dag_id, run.run_id)
        state = str(getattr(found, "value", found))  # an enum, although it is declared as text
        if run.run_type == BACKFILL or state in ("success", "failed"):
            return
        event = LateRun(state, datetime.fromisoformat(dag_run["queued_at"]), minutes)
        dispatch(run, Outcome(datetime.now(UTC), run.interval, (event,)), aws_conn_id=aws_conn_id)
        # If its last task ended meanwhile, its own callback may have found nothing to close.
        states = RuntimeTaskInstance.get_task_states(run.dag_id, run_ids=[run.run_id])[run.run_id]
        if all(found in ("success", "skipped") for found in states.values()):
            ended = Outcome(datetime.now(UTC), run.interval, passed=frozenset({LateRun.key}), covered=run.interval)
            dispatch(run, ended, aws_conn_id=aws_conn_id)
    except Exception:
        # As in AlertNotifier: no alert is worth another failure.
        log.exception("Could not send the alert of a late run: run_id=%s", dag_run["dag_run_id"])
