"""``make backfill``: one run per hour of a range, several in parallel, with Airflow's own scheduler."""

from __future__ import annotations

import sys
import time
from collections import Counter
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

import httpx
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from sandbox import airflow, jobs, servers, upload
from sandbox.backfill_client import (
    EXPLAINED,
    HOUR,
    REPROCESS,
    Backfill,
    BackfillOptions,
    BackfillResult,
    BackfillRun,
    FailedTask,
)
from sandbox.deployment import USER, DeploymentError, LocalDeployment, run_deployment
from sandbox.terminal import SIGNS, Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

# Seconds between lines of progress, if the output is not a terminal.
LINE_EVERY = 10


def main(arguments: list[str] | None = None) -> int:
    """Load the data hour by hour and show the results; return the exit code."""
    job, options = read_job(arguments)
    servers.exit_on_signals()
    console = Console(highlight=False)
    try:
        with jobs.lock_state(job.state, "make backfill"):
            return _run(job, options, Terminal(console))
    except (upload.SourceError, jobs.BusyError, DeploymentError, httpx.HTTPError) as error:
        console.print(f"[red]✗[/] {escape(str(error))}", soft_wrap=True)
        return 2
    except SystemExit:  # by a signal
        console.print("\nInterrupted. Loaded hours stay loaded; run the same command to continue.")
        raise


def read_job(arguments: list[str] | None = None) -> tuple[jobs.LoadJob, BackfillOptions]:
    """Parse the command line; missing arguments are derived from the data."""
    parser = jobs.parser("make backfill", __doc__)
    parser.add_argument("--runs", type=int, default=BackfillOptions.runs, help="runs at once (%(default)s)")
    parser.add_argument(
        "--reprocess", choices=REPROCESS, default=BackfillOptions.reprocess, help="hours to load again (%(default)s)"
    )
    parser.add_argument("--backwards", action="store_true", help="the latest hour first")
    options = parser.parse_args(arguments)
    if options.runs < 1:
        parser.error(f"Invalid RUNS, the number of parallel runs: expected 1 or more, got {options.runs}.")
    job = jobs.read_job(parser, options, hourly=True)
    if job.end > datetime.now(UTC):
        parser.error(f"TO ({job.end:%Y-%m-%d %H:%M}) is in the future: an hour can only be loaded once it is over.")
    return job, BackfillOptions(options.runs, options.reprocess, options.backwards)


def _run(job: jobs.LoadJob, options: BackfillOptions, terminal: Terminal) -> int:
    terminal.title(job.start, job.end, job.source)
    began = time.monotonic()
    with ExitStack() as context:
        ready = context.enter_context(jobs.start_servers(job, terminal))
        metadata = ready.postgres.create_database(job.metadata)
        with terminal.step("Start Airflow"):
            deployment = context.enter_context(_airflow(job, options.runs, ready, metadata))
        client = context.enter_context(deployment.client())
        terminal.heading(f"DAG {airflow.DAG_ID}, one run for each of {int((job.end - job.start) / HOUR):,} hours")
        terminal.console.print(
            f"[dim]Web UI: {deployment.url}, user {USER}, password in {deployment.password_file}[/]", soft_wrap=True
        )
        backfill = Backfill(deployment, client, metadata, airflow.DAG_ID)
        with terminal.step("Start the backfill"):
            message = backfill.begin(job.start, job.end, options)
        if message:
            terminal.console.print(message, soft_wrap=True)
        with _progress(terminal.console) as report:
            outcome = backfill.wait(report)
        if any(run.state == "success" for run in outcome.runs):
            terminal.tables(ready.database)
    _show(outcome, deployment.logs, terminal.console)
    _next(job, outcome, time.monotonic() - began, terminal.console)
    return 0 if outcome.succeeded else 1


def _airflow(
    job: jobs.LoadJob, runs: int, ready: jobs.JobServers, metadata: str
) -> AbstractContextManager[LocalDeployment]:
    """Run Airflow for a job; its metadata database and its logs are kept for the next time."""
    environment = airflow.environment(
        job.home,
        metadata=airflow.sqlalchemy_url(metadata),
        postgres=ready.postgres,
        database=job.name,
        s3=ready.s3,
        bucket=job.name,
    )
    # Only the backfill creates runs; once its DAG is unpaused, the schedule would create one of the current hour.
    environment["AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE"] = "False"
    # A run never has more than two running tasks; beyond 16 a laptop's CPU is the bottleneck.
    return run_deployment(job.home, environment, dag_ids=[airflow.DAG_ID], parallelism=min(2 * runs, 16))


@contextmanager
def _progress(console: Console) -> Iterator[Callable[[Sequence[BackfillRun], Sequence[FailedTask]], None]]:
    """Show the progress of a backfill: a bar on a terminal, otherwise a line from time to time."""
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("runs, {task.description}"), TimeElapsedColumn())
    begun = shown = time.monotonic()
    before: int | None = None
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        line = bar.add_task("", total=None)

        def report(runs: Sequence[BackfillRun], retries: Sequence[FailedTask]) -> None:
            nonlocal before, shown
            states = Counter(run.state for run in runs)
            done = sum(run.ended for run in runs)
            before = done if before is None else before
            now = time.monotonic()
            rate = (done - before) / max(now - begun, 1) * 60
            text = f"{states['running']} running, {states['failed']} failed, {rate:.0f} a minute"
            bar.update(line, total=len(runs), completed=done, description=text)
            if bar.disable and now - shown >= LINE_EVERY:
                console.print(f"  {done:,} of {len(runs):,} runs done, {text}")
                shown = now
            for failure in retries:
                _show_failure("[yellow]↻[/]", failure, console)

        yield report


def _show(outcome: BackfillResult, logs: Path, console: Console) -> None:
    """Show the results of the runs and their checks, the skipped hours, and the failures."""
    own, checks = [run for run in outcome.runs if not run.skipped], outcome.checks
    if own:
        succeeded = sum(run.state == "success" for run in own)
        console.print(f"[bold]Runs[/]  {_coloured(succeeded, len(own))} succeeded")
        passed = f"{_coloured(checks['success'], len(own))} runs passed all checks"
        unchecked = len(own) - checks["success"] - checks["failed"]
        more = (
            f", {checks['failed']:,} did not, {unchecked:,} did not reach them" if checks["success"] < len(own) else ""
        )
        console.print(f"[bold]Data quality[/]  {passed}{more}")
    if outcome.skipped:
        console.print(f"[bold]Skipped by Airflow[/]  {len(outcome.skipped):,} of {len(outcome.runs):,} hours")
        for first, last, count in _stretches(outcome.skipped):
            console.print(
                f"  {SIGNS['skipped']} {first.hour:%Y-%m-%d %H:%M} to {last.hour + HOUR:%Y-%m-%d %H:%M}"
                f"  {count:>4} hour{'s' * (count > 1):1}  {_reason(first)}",
                soft_wrap=True,
            )
    if outcome.failed:
        console.print(f"[bold]Failed[/]  {len(outcome.failed):,} hours; the tasks' logs are in {logs}", soft_wrap=True)
        for failure in outcome.failures:
            _show_failure(SIGNS["failed"], failure, console)
        if len(outcome.failed) > EXPLAINED:
            console.print(f"  ... and {len(outcome.failed) - EXPLAINED:,} more hours")


def _coloured(count: int, of: int) -> str:
    return f"[{'green' if count == of else 'red'}]{count:,} of {of:,}[/]"


def _show_failure(sign: str, failure: FailedTask, console: Console) -> None:
    console.print(f"  {sign} {failure.hour:%Y-%m-%d %H:%M} {failure.task_id}", soft_wrap=True)
    console.print(f"    [red]{escape(failure.error)}[/]", soft_wrap=True)


def _stretches(runs: Sequence[BackfillRun]) -> Iterator[tuple[BackfillRun, BackfillRun, int]]:
    """Group consecutive hours with the same state: yield the first, the last and their number."""

    def what(item: tuple[int, BackfillRun]) -> tuple[Any, ...]:
        number, run = item
        return run.hour - number * HOUR, run.skipped, run.state

    for _, group in groupby(enumerate(runs), key=what):
        hours = [run for _, run in group]
        yield hours[0], hours[-1], len(hours)


def _reason(run: BackfillRun) -> str:
    """Return why Airflow created no run of an hour, and the state of the existing one."""
    if run.skipped != "already exists":
        return f"{run.skipped}: another run was active, now {run.state}"
    return f"{run.skipped}: " + {
        "success": "loaded before; REPROCESS=completed loads them again",
        "failed": "their run failed before; REPROCESS=failed loads them again",
    }.get(str(run.state), f"now {run.state}")


def _next(job: jobs.LoadJob, outcome: BackfillResult, seconds: float, console: Console) -> None:
    """Print the next commands."""
    again = job.command("backfill")
    if outcome.succeeded:
        console.print(f"\n[bold]Done[/] in {seconds:.0f} s. What next?")
        steps = {
            f"{again} REPROCESS=completed BACKWARDS=1": "reprocess all hours, latest first; same resulting tables",
            job.command("run"): "the same range in one run; same resulting tables",
        }
    else:
        console.print(f"\n[red bold]Not every hour is loaded[/], after {seconds:.0f} s. What next?")
        steps = {f"{again} REPROCESS=failed": "reprocess the failed hours, once the cause is fixed; loads are atomic"}
    for command, what in steps.items():
        console.print(f"  {command}\n      {what}", soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
