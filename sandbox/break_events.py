"""``make break`` and ``make repair``: add invalid events to the current hour, and remove them."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from rich.markup import escape

from sandbox import airflow, dag_runs, faults
from sandbox.faults import HOUR
from sandbox.status import span

if TYPE_CHECKING:
    from rich.console import Console

    from sandbox.live_state import SupervisorFiles, SupervisorState

# Seconds to wait until the feeder has written the file.
WRITTEN = 60.0


def start(state: SupervisorState, files: SupervisorFiles, console: Console) -> int:
    """Add invalid events to the current hour, and print what to expect; return the exit code."""
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    files.fault.write_text(hour.isoformat())
    if not _written(hour, files, console):
        return 1
    end = hour + HOUR
    console.print(
        f"[bold]Broken:[/] the hour from {hour:%H:%M} UTC has {faults.EVENTS} more plays, "
        'with the level "gold" and without a user.\n\n'
        f"  when     at {end:%H:%M} UTC, in {span(end - datetime.now(UTC))}, the run of this hour starts.\n"
        f"           To see it now, trigger {airflow.DAG_ID} in Airflow\n"
        f"           with start {hour:%Y-%m-%dT%H:%M:%SZ} and end {end:%Y-%m-%dT%H:%M:%SZ}\n"
        "  fails    data_quality: songplays: every level is free or paid\n"
        "           and a warning: songplays: every play has a user\n"
        "  alert    in the log of data_quality; by Slack, e-mail or SNS once configured: docs/alerts.md\n"
        f"  see      make status, make quality, and the page Warehouse of {state.url}\n"
        "  repair   make repair",
        soft_wrap=True,
    )
    return 0


def end(state: SupervisorState, files: SupervisorFiles, console: Console) -> int:
    """Remove the invalid events, and print which runs to clear; return the exit code."""
    hour = faults.read(files.fault)
    if hour is None:
        console.print("Nothing is broken. `make break` adds invalid events.")
        return 0
    files.fault.unlink(missing_ok=True)
    if not _written(None, files, console):
        return 1
    console.print(f"[bold]Repaired:[/] the hour from {hour:%H:%M} UTC has no invalid events any more.")
    os.environ["AIRFLOW_HOME"] = state.home  # before Airflow is imported, which creates folders there
    runs = dag_runs.read_runs(state.metadata, airflow.DAG_ID)
    if failed := [
        run.run_id
        for run in runs
        if run.state == "failed" and run.interval.start < hour + HOUR and hour < run.interval.end
    ]:
        console.print(
            "Clear the failed runs in Airflow, all tasks: they load the hour again, and the alert is recovered."
        )
        for run_id in failed:
            console.print(f"  {state.url}/dags/{airflow.DAG_ID}/runs/{escape(quote(run_id))}", soft_wrap=True)
    return 0


def _written(hour: datetime | None, files: SupervisorFiles, console: Console) -> bool:
    """Wait until the feeder has written the file of the day, with the invalid events of an hour or without."""
    deadline = time.monotonic() + WRITTEN
    while time.monotonic() < deadline:
        progress = files.progress()
        if progress and not progress.error and progress.broken == (hour and hour.isoformat(timespec="milliseconds")):
            return True
        time.sleep(0.1)
    console.print(f"[red]✗[/] The feeder has not written the events. See {files.feeder_log}", soft_wrap=True)
    return False
