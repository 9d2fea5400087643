"""Send one message about the incidents of a run."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airflow.sdk import Variable

from sparkify.alerts import channels, incidents, messages, state
from sparkify.dag.run import BACKFILL

if TYPE_CHECKING:
    from sparkify.alerts.incidents import Outcome
    from sparkify.dag.run import DagRunInfo

log = logging.getLogger(__name__)

REMINDER = "sparkify_alert_reminder_hours"
REMINDER_HOURS = 24.0


def dispatch(run: DagRunInfo, outcome: Outcome, *, aws_conn_id: str | None) -> None:
    """Apply an outcome to the open incidents, and send one message if there is something to report.

    A run of a backfill reports only what it has detected itself, and recoveries.

    :param aws_conn_id: the Airflow connection for Amazon SNS.
    """
    opened = state.change(run.dag_id, lambda before: incidents.apply(before, outcome))
    if not opened:
        return
    changes = incidents.compare(opened, outcome, _reminder())
    if run.run_type == BACKFILL:
        changes.updates = [update for update in changes.updates if update.event or update.status == "recovered"]
    if repeated := [event.key for event in outcome.events if opened[event.key] in changes.already_reported]:
        log.info("Still failing, already reported: %s", ", ".join(repeated))
    if changes.updates and channels.deliver(messages.of_run(run, changes), aws_conn_id):
        now = datetime.now(UTC)
        after = state.change(run.dag_id, lambda before: incidents.reported(before, changes, now))
        if any(incident.recovered_at == now for incident in after.values()):
            dispatch(run, incidents.Outcome(now, run.interval), aws_conn_id=aws_conn_id)


def _reminder() -> timedelta:
    found = Variable.get(REMINDER, default=str(REMINDER_HOURS))
    try:
        return timedelta(hours=float(found))
    except (ValueError, OverflowError):
        log.warning(
            "Invalid Variable %s: expected a number of hours, got %r; using %g", REMINDER, found, REMINDER_HOURS
        )
        return timedelta(hours=REMINDER_HOURS)
