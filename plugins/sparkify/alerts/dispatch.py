"""Send one message about the incidents that a run has changed."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airflow.sdk import Variable

from sparkify.alerts import channels, incidents, messages, state

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sparkify.alerts.events import Event
    from sparkify.dag.run import DagRunInfo

log = logging.getLogger(__name__)

REMINDER = "sparkify_alert_reminder_hours"
REMINDER_HOURS = 24.0


def dispatch(
    run: DagRunInfo,
    events: Iterable[Event],
    *,
    passed: Collection[str] = (),
    task_id: str = "",
    evaluated: bool = False,
    aws_conn_id: str | None,
) -> None:
    """Compare a run's results with the open incidents, send one message if there are changes, and save the incidents.

    :param events: the failures.
    :param passed: the keys of what passed.
    :param task_id: the task that has ended; empty if none has.
    :param evaluated: whether it evaluated its checks: then its upstream tasks have succeeded.
    :param aws_conn_id: the Airflow connection for Amazon SNS.
    """
    now = datetime.now(UTC)
    changes = incidents.compare(
        state.read(run.dag_id),
        events,
        passed,
        task_id=task_id,
        interval=run.interval,
        evaluated=evaluated,
        now=now,
        reminder=_reminder(),
    )
    if changes.already_reported:
        keys = ", ".join(incident.key for incident in changes.already_reported)
        log.info("Still failing, already reported: %s", keys)
    delivered = bool(changes.updates and channels.deliver(messages.of_run(run, changes), aws_conn_id))
    if to_save := changes.to_save(delivered, now):
        state.change(run.dag_id, to_save)


def _reminder() -> timedelta:
    found = Variable.get(REMINDER, default=str(REMINDER_HOURS))
    try:
        return timedelta(hours=float(found))
    except (ValueError, OverflowError):
        log.warning(
            "Invalid Variable %s: expected a number of hours, got %r; using %g", REMINDER, found, REMINDER_HOURS
        )
        return timedelta(hours=REMINDER_HOURS)
