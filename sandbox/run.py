"""``make run``: generate or upload data, load it, and show the results, on a laptop."""

from __future__ import annotations

import gc
import os
import sys
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from sandbox import airflow, jobs, servers, upload
from sandbox.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A laptop's data can be loaded again: apply every change of the DDL, and every deletion in the folder of the files.
PARAMS = {"schema_changes": "all", "accept_vanished": True}


def main(arguments: list[str] | None = None) -> int:
    """Load the data and show the results; return the exit code."""
    job = read_job(arguments)
    servers.exit_on_signals()
    try:
        with jobs.lock_state(job.state, "make run"), _own_screen(job.state / "run.log") as console:
            return _run(job, Terminal(console))
    except (upload.SourceError, jobs.BusyError) as error:
        Console(highlight=False).print(f"[red]✗[/] {escape(str(error))}", soft_wrap=True)
        return 2


def read_job(arguments: list[str] | None = None) -> jobs.LoadJob:
    """Parse the command line; missing arguments are derived from the data."""
    parser = jobs.parser("make run", __doc__)
    parser.add_argument("--hourly", action="store_true", help="a run for every hour")
    options = parser.parse_args(arguments)
    return jobs.read_job(parser, options, hourly=options.hourly)


def _run(job: jobs.LoadJob, terminal: Terminal) -> int:
    terminal.title(job.start, job.end, job.source)
    home = job.state / "airflow"
    # Separate from a scheduler's metadata database: a backfill would skip the hours of runs made here.
    metadata = f"sqlite:///{home}/airflow.db"

    def prepare() -> None:
        os.environ.update(airflow.settings(home, metadata))
        # For each run, Airflow's test of a DAG parses and stores all DAGs of the folder.
        os.environ["AIRFLOW__CORE__DAGS_FOLDER"] = str(airflow.ROOT / "dags" / f"{airflow.DAG_ID}.py")
        airflow.migrate()

    with jobs.start_servers(job, terminal, prepare) as ready:
        os.environ.update(airflow.connections(ready.postgres, job.name, ready.s3))
        os.environ["AIRFLOW_VAR_SPARKIFY_BUCKET"] = job.name
        succeeded, checks = _load_hourly(job, terminal) if job.hourly else _load_range(job, terminal)
        if not succeeded:
            terminal.failed(job.state / "run.log", checks)
            return 1
        terminal.results(ready.database, checks)
    terminal.next(next_commands(job))
    return 0


def next_commands(job: jobs.LoadJob) -> dict[str, str]:
    """Return what to do after a load: commands, and their purposes."""
    again = job.command("run")
    commands = {
        "make up": "start Airflow in the background: web UI, live events, charts, alerts",
        job.command("notebook") if job.source else "make notebook": "analyse this data in a notebook, as HTML",
        again if job.hourly else f"{again} HOURLY=1": (
            "load the same range in one run; same resulting tables"
            if job.hourly
            else "load the same range hour by hour, as the schedule does; same resulting tables"
        ),
    }
    if job.source is None:
        commands["make run DATA=<folder or .tar.gz>"] = "load your own files"
    return commands | {"make help": "everything else"}


def _load_range(job: jobs.LoadJob, terminal: Terminal) -> tuple[bool, list[dict[str, Any]]]:
    """Run the DAG once over an explicit range; show its tasks as they end."""
    checks: list[dict[str, Any]] = []

    def report(task: airflow.TaskResult) -> None:
        checks.extend(task.checks)
        terminal.task(task)

    terminal.heading(f"DAG {airflow.DAG_ID}, one run for the whole range")
    conf = {**PARAMS, "start": job.start.isoformat(), "end": job.end.isoformat()}
    return airflow.load(report, conf=conf), checks


def _load_hourly(job: jobs.LoadJob, terminal: Terminal) -> tuple[bool, list[dict[str, Any]]]:
    """Run the DAG for every hour; print a line per hour."""
    hours = int((job.end - job.start) / timedelta(hours=1))
    terminal.heading(f"DAG {airflow.DAG_ID}, {hours} hourly runs")
    checks: list[dict[str, Any]] = []
    for number in range(hours):
        start = job.start + timedelta(hours=number)
        tasks: list[airflow.TaskResult] = []
        began = time.monotonic()
        # With this timetable a manual run at a moment gets the interval that ends there.
        succeeded = airflow.load(tasks.append, logical_date=start + timedelta(hours=1), conf=PARAMS)
        checks = _combine(checks, [check for task in tasks for check in task.checks])
        terminal.hour(start, tasks, time.monotonic() - began)
        if not succeeded:
            return False, checks
    return True, checks


def _combine(known: list[dict[str, Any]], more: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keep the worst outcome of each check."""
    outcomes = {(check["table"], check["check"]): check for check in known}
    for check in more:
        name = check["table"], check["check"]
        if name not in outcomes or not check["passed"]:
            outcomes[name] = check
    return list(outcomes.values())


@contextmanager
def _own_screen(log: Path) -> Iterator[Console]:
    """Redirect the output of Airflow and its tasks to a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    terminal = os.dup(1)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    saved = os.dup(2)
    os.dup2(file, 1)
    os.dup2(file, 2)
    try:
        with os.fdopen(os.dup(terminal), "w", encoding="utf-8") as stream:
            yield Console(file=stream, highlight=False)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(terminal, 1)
        os.dup2(saved, 2)
        for descriptor in (file, terminal, saved):
            os.close(descriptor)


if __name__ == "__main__":
    # By default garbage is collected so often that it takes a tenth of the time: what Airflow imports is never garbage.
    gc.set_threshold(100_000)
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit(): to take apart what Airflow has imported takes the interpreter seconds.
    os._exit(code)
