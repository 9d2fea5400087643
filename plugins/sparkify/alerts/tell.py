"""Report the incidents that a run changed, once."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airflow.sdk import Variable

from sparkify.alerts import channels, incidents, messages, state

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sparkify.alerts.run import Run
    from sparkify.quality.outcome import Outcome

log = logging.getLogger(__name__)

REMINDER = "sparkify_alert_reminder_hours"
REMINDER_HOURS = 24.0


def tell(
    run: Run, outcomes: Iterable[Outcome], *, task_id: str, evaluated: bool = False, aws_conn_id: str | None
) -> None:
    """Compare the results with the open incidents, send one message if there are changes, and save the incidents.

    :param outcomes: the results of the task, passed and failed.
    :param task_id: the task.
    :param evaluated: whether it evaluated its checks: then its upstream tasks have succeeded.
    :param aws_conn_id: the Airflow connection for Amazon SNS.
    """
    now = datetime.now(UTC)
    changes = incidents.weigh(
        state.read(run.dag_id),
        outcomes,
        task_id=task_id,
        interval=run.interval,
        evaluated=evaluated,
        now=now,
        reminder=_reminder(),
    )
    heard = [entry for entry in changes.tell if entry.status != "recovered" or entry.incident.told]
    if changes.known:
        log.info("Still failing, already reported: %s", ", ".join(incident.key for incident in changes.known))
    delivered = bool(heard and channels.deliver(messages.of_run(run, changes.only(heard)), aws_conn_id))
    if kept := changes.settle(delivered, now):
        state.change(run.dag_id, kept)


def _reminder() -> timedelta:
    found = Variable.get(REMINDER, default=str(REMINDER_HOURS))
    try:
        return timedelta(hours=float(found))
    except (ValueError, OverflowError):
        log.warning(
            "Invalid Variable %s: expected a number of hours, got %r; using %g", REMINDER, found, REMINDER_HOURS
        )
        return timedelta(hours=REMINDER_HOURS)
