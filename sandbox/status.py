"""The output of ``make status``: the URL, and the health of each component."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import psutil
import psycopg
from psycopg.rows import dict_row
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from sandbox import airflow, dag_runs
from sandbox.deployment import USERS, VIEWER, password_file
from sandbox.feeder import EVERY
from sandbox.live_state import FEEDER
from sandbox.terminal import SIGNS
from sparkify.web import panels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rich.console import Console

    from sandbox.feeder import FeederProgress
    from sandbox.live_state import Component, SupervisorFiles, SupervisorState

# Airflow's health check of each of its components:
# https://airflow.apache.org/docs/apache-airflow/stable/administration-and-deployment/logging-monitoring/check-health.html
HEALTH = {"scheduler": "scheduler", "dag-processor": "dag_processor", "triggerer": "triggerer"}
TIMEOUT = 10.0
# The states of the files of a day, and their names.
STATES = {
    "up to date": "up to date",
    "changed": "changed",
    "missing": "never loaded",
    "vanished": "vanished",
    "failed": "[red]failed[/]",
}
COLOURS = {"success": "[green]success[/]", "failed": "[red]failed[/]"}


@dataclass(frozen=True)
class Health:
    """The health of a component.

    :param healthy: whether it is healthy.
    :param text: the evidence, or the problem.
    """

    healthy: bool
    text: str


def addresses(state: SupervisorState, files: SupervisorFiles, console: Console) -> None:
    """Print the URL, the users and the next commands."""
    passwords = json.loads(password_file(Path(state.home)).read_text())
    console.print(f"\n[bold]{state.url}[/]", soft_wrap=True)
    for user in USERS:
        access = "read only" if user == VIEWER else "full access"
        console.print(f"  user [bold]{user:<7}[/] password [bold]{escape(passwords[user])}[/]  {access}")
    print_access(state, files, console)
    console.print(
        "\n  make status   health of each component\n  make logs     all logs\n"
        "  make break    add invalid events, to see an alert\n"
        "  make change   change an old file, to see it loaded again\n  make down     stop everything"
    )


def print_access(state: SupervisorState, files: SupervisorFiles, console: Console) -> None:
    """Print how to access the warehouse and the bucket."""
    bucket = files.bucket
    if bucket.is_relative_to(Path.cwd()):
        bucket = bucket.relative_to(Path.cwd())
    console.print(f"\n  the warehouse    make psql\n    [dim]{state.database}[/]", soft_wrap=True)
    console.print(f"  the app's files  ls {bucket}\n    [dim]S3 at {state.endpoint}[/]", soft_wrap=True)


def show(state: SupervisorState, files: SupervisorFiles, console: Console) -> int:
    """Show the health of each component; return 0 if all are healthy."""
    if state.phase == "starting":
        step = state.steps[-1] if state.steps else None
        console.print(
            f"[bold]Sparkify[/] is starting, since {moment(state.begun)} UTC: {step.title if step else ''} ..."
        )
        return 0
    since = datetime.fromisoformat(state.begun)
    console.print(
        f"[bold]Sparkify[/]  {state.url}  since {moment(state.begun)} UTC ({span(datetime.now(UTC) - since)})",
        soft_wrap=True,
    )
    found = check(state, files)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column, justify in (("", "left"), ("Component", "left"), ("PID", "right"), ("Health", "left")):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    table.add_column("Since (UTC)")
    for name, component in state.components.items():
        health = found[name]
        table.add_row(
            SIGNS["success" if health.healthy else "failed"],
            name,
            str(component.pid),
            escape(health.text) if health.healthy else f"[red]{escape(health.text)}[/]",
            moment(component.since),
        )
    console.print(table)
    with suppress(psycopg.Error):
        _runs(state, console)
    if (progress := files.progress()) and progress.broken:
        console.print(
            f"\n{SIGNS['warned']} The hour from {_time(progress.broken):%Y-%m-%d %H:%M} UTC has invalid events: "
            "`make repair` removes them."
        )
    print_access(state, files, console)
    if all(health.healthy for health in found.values()):
        return 0
    console.print("\n[red]Unhealthy.[/] See `make logs`; `make up` restarts everything if a component has exited.")
    return 1


def _runs(state: SupervisorState, console: Console) -> None:
    """Show the active runs, the last one, and the next."""
    os.environ["AIRFLOW_HOME"] = state.home  # before Airflow is imported, which creates folders there
    runs = dag_runs.read_runs(state.metadata, airflow.DAG_ID)
    ended = [run for run in runs if run.ended and run.began]
    for run in runs:
        if run.state in ("queued", "running"):
            console.print(f"Active     {run.interval} {run.state}")
    if ended:
        last = max(ended, key=lambda run: (run.ended, run.interval.end))
        assert last.ended
        assert last.began
        seconds = (last.ended - last.began).total_seconds()
        console.print(
            f"Last run   {last.interval} {COLOURS.get(last.state, last.state)} in {seconds:.0f} s, "
            f"{span(datetime.now(UTC) - last.ended)} ago"
        )
    if audits := dag_runs.read_runs(state.metadata, airflow.AUDIT_ID):
        console.print(f"Last audit {audits[-1].interval} {COLOURS.get(audits[-1].state, audits[-1].state)}")
    failed = sum(run.state == "failed" for run in runs)
    scheduled = dag_runs.next_run(state.metadata, airflow.DAG_ID)
    if scheduled and scheduled.paused:
        console.print("Next run   [yellow]none: the DAG is paused[/]")
    elif scheduled and scheduled.at and scheduled.start:
        wait = max(scheduled.at - datetime.now(UTC), timedelta())
        console.print(f"Next run   [{scheduled.start:%Y-%m-%d %H:%M}, {scheduled.end:%Y-%m-%d %H:%M}) in {span(wait)}")
    with psycopg.connect(state.database) as connection:
        ((plays,),) = connection.execute("SELECT COUNT(*) FROM songplays").fetchall()
        text = f", [red]{failed:,} failed[/]" if failed else ""
        console.print(f"Total      {len(ended):,} runs{text}; {plays:,} plays in the warehouse")
        with connection.cursor(row_factory=dict_row) as cursor:
            days = cursor.execute(panels.sql("source_files")).fetchall()
    console.print(f"Source     {source_days(days)}")


def source_days(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the number of days in each state, and since when the first of them has been in it.

    :param rows: of the page's panel ``source_files``.
    """
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["state"], []).append(row)
    parts: list[str] = []
    for state, text in STATES.items():
        if of_state := found.get(state):
            days = sum(row["days"] for row in of_state)
            since = min((row["since"] for row in of_state if row["since"]), default=None)
            since_text = f" since {moment(since.replace(tzinfo=UTC).isoformat())} UTC" if since else ""
            unit = "" if parts else " day" if days == 1 else " days"
            parts.append(f"{days:,}{unit} {text}{since_text}")
    return "; ".join(parts) or "no files staged yet"


def check(state: SupervisorState, files: SupervisorFiles) -> dict[str, Health]:
    """Return the health of each component."""
    began = time.monotonic()
    answer, error = None, ""
    try:
        answer = httpx.get(f"{state.url}/api/v2/monitor/health", timeout=TIMEOUT, trust_env=False).json()
    except (httpx.HTTPError, ValueError) as problem:
        error = f"does not respond: {problem}"
    took = time.monotonic() - began
    found: dict[str, Health] = {}
    for name, component in state.components.items():
        if exited := _exited(component):
            found[name] = exited
        elif name == "api-server":
            found[name] = Health(not error, error or f"responds in {took * 1000:.0f} ms")
        elif name in HEALTH:
            found[name] = airflow_health(answer, HEALTH[name], datetime.now(UTC))
        elif name == FEEDER:
            found[name] = feeder_health(files.progress(), datetime.now(UTC))
        elif name == "postgres":
            found[name] = _postgres(state.database)
        else:
            found[name] = _s3(state.endpoint)
    return found


def airflow_health(answer: Mapping[str, Mapping[str, Any]] | None, name: str, now: datetime) -> Health:
    """Return the health of one of Airflow's components, as its API reports it.

    :param answer: of ``/api/v2/monitor/health``; None if there was none.
    :param name: as in there.
    """
    if answer is None:
        return Health(False, "unknown: the api-server does not respond")
    about = answer.get(name, {})
    beat = about.get(f"latest_{name}_heartbeat")
    since = f"heartbeat {span(now - _time(beat))} ago" if beat else "no heartbeat yet"
    text = f"{about.get('status') or 'unknown'}, {since}"
    return Health(about.get("status") == "healthy", text)


def feeder_health(progress: FeederProgress | None, now: datetime) -> Health:
    """Return the health of the feeder, as it reports it."""
    if progress is None:
        return Health(False, "has not written anything yet")
    if progress.error:
        return Health(False, f"cannot write: {progress.error}")
    age = now - _time(progress.at)
    text = f"{progress.events:,} events today, written {span(age)} ago"
    return Health(age < timedelta(seconds=3 * EVERY), text)


def _exited(component: Component) -> Health | None:
    """Return how a component has exited; None if it is running."""
    if component.ended:
        return Health(False, f"{component.how} at {moment(component.ended)}")
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(component.pid)
        if process.status() != psutil.STATUS_ZOMBIE and abs(process.create_time() - component.created) < 1:
            return None
    return Health(False, "has exited")


def _postgres(uri: str) -> Health:
    began = time.monotonic()
    try:
        with psycopg.connect(uri, connect_timeout=int(TIMEOUT)) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error as error:
        return Health(False, f"does not respond: {error}")
    return Health(True, f"responds in {(time.monotonic() - began) * 1000:.0f} ms")


def _s3(endpoint: str) -> Health:
    began = time.monotonic()
    try:
        httpx.get(endpoint, timeout=TIMEOUT, trust_env=False)  # any response will do, even an error
    except httpx.HTTPError as error:
        return Health(False, f"does not respond: {error}")
    return Health(True, f"responds in {(time.monotonic() - began) * 1000:.0f} ms")


def port(state: SupervisorState) -> int | None:
    """Return Airflow's port; None if it is not known yet."""
    return urlsplit(state.url).port if state.url else None


def moment(text: str) -> str:
    """Format an ISO time, without the day if it is today."""
    time_ = _time(text)
    return f"{time_:%H:%M:%S}" if time_.date() == datetime.now(UTC).date() else f"{time_:%Y-%m-%d %H:%M}"


def span(length: timedelta) -> str:
    """Format a duration in one or two units."""
    seconds = max(int(length.total_seconds()), 0)
    if seconds < 120:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 120:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
