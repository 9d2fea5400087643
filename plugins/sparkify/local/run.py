"""``make run``: the whole job on a laptop, from nothing to answers."""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shlex
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from sparkify.local import airflow, generate, report, servers, upload

if TYPE_CHECKING:
    from collections.abc import Iterator

DDL = airflow.ROOT / "include" / "sql" / "ddl"
# What `make run` generates where it is given no data.
SAMPLE = generate.Options()


@dataclass
class Job:
    """What to load.

    :param source: a folder or an archive with ``log_data/`` and ``song_data/``; None for the generated sample.
    :param start: first moment.
    :param end: first moment after.
    :param hourly: a run for every hour, rather than one for the range.
    :param state: the folder of the servers' data.
    """

    source: Path | None
    start: datetime
    end: datetime
    hourly: bool
    state: Path

    @property
    def name(self) -> str:
        """A name for the data and its bucket: data from different places must not mix."""
        if self.source is None:
            return "sparkify-sample"
        stem = re.sub(r"[^a-z0-9]+", "-", self.source.name.lower().split(".")[0])[:40].strip("-")
        return f"{stem or 'data'}-{hashlib.sha256(str(self.source).encode()).hexdigest()[:6]}"

    @property
    def database(self) -> str:
        """A name for the warehouse: after a change of the tables, a new one."""
        ddl = "".join(path.read_text() for path in sorted(DDL.glob("*.sql")))
        return f"{self.name}-{hashlib.sha256(ddl.encode()).hexdigest()[:6]}"

    @property
    def command(self) -> str:
        """The command line that does this job again."""
        words = ["make run"]
        if self.source:
            words.append(f"DATA={shlex.quote(str(self.source))}")
        return " ".join([*words, f"FROM={_short(self.start)}", f"TO={_short(self.end)}"])


def main(arguments: list[str] | None = None) -> int:
    """Load the data and show what came of it; return the exit code."""
    job = read_job(arguments)
    job.state.mkdir(parents=True, exist_ok=True)
    servers.exit_on_signals()
    with ExitStack() as stack:
        console = stack.enter_context(_own_screen(job.state / "run.log"))
        try:
            return _run(job, console, stack)
        except upload.SourceError as error:
            console.print(f"[red]✗[/] {escape(str(error))}", soft_wrap=True)
            return 2


def read_job(arguments: list[str] | None = None) -> Job:
    """Read the command line; what it leaves open is found in the data."""
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument("--data", type=Path, help="a folder or a .tar.gz with log_data/ and song_data/")
    parser.add_argument("--from", dest="start", type=_moment, help="first day (or ISO time), UTC")
    parser.add_argument("--to", dest="end", type=_moment, help="first day after (or ISO time), UTC")
    parser.add_argument("--state", type=Path, default=airflow.ROOT / ".local", help="folder of the servers' data")
    parser.add_argument("--hourly", action="store_true", help="a run for every hour")
    options = parser.parse_args(arguments)
    source = options.data.expanduser().resolve() if options.data else None
    start, end = options.start, options.end
    if source is None:
        first = datetime.combine(SAMPLE.start, datetime.min.time(), UTC)
        start, end = start or first, end or first + timedelta(days=SAMPLE.days)
    elif not (start and end):
        try:
            days = [day for key in upload.keys(source) if (day := _day(key))]
        except upload.SourceError as error:
            parser.error(str(error))
        if not days:
            parser.error(f"{source} has no log_data/YYYY/MM/YYYY-MM-DD-events.json: give FROM and TO.")
        start, end = start or min(days), end or max(days) + timedelta(days=1)
    if end <= start:
        parser.error(f"TO ({end:%Y-%m-%d %H:%M}) must be after FROM ({start:%Y-%m-%d %H:%M}): it is not loaded itself.")
    if options.hourly and any(moment.minute or moment.second or moment.microsecond for moment in (start, end)):
        parser.error("HOURLY makes a run for every whole hour: give FROM and TO without minutes.")
    return Job(source, start, end, options.hourly, options.state.resolve())


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day such as 2018-11-01") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _short(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}" if moment.time() == datetime.min.time() else f"{moment:%Y-%m-%dT%H:%M}"


def _day(key: str) -> datetime | None:
    match = re.search(r"(\d{4}-\d{2}-\d{2})-events\.json", key)
    try:
        return _moment(match[1]) if match else None
    except argparse.ArgumentTypeError:  # no day of the calendar
        return None


def _run(job: Job, console: Console, stack: ExitStack) -> int:
    screen = report.Screen(console)
    screen.title(job.start, job.end, str(job.source) if job.source else "generated sample")

    with screen.step("Start PostgreSQL and an S3 server"):
        postgres = stack.enter_context(servers.postgres(job.state / "postgres"))
        s3 = stack.enter_context(servers.s3(job.state / "s3"))
        database = postgres.create_database(job.database)
        store = servers.bucket(s3, job.name)
    source = job.source
    if source is None:
        source = job.state / "sample"
        with screen.step(f"Generate {SAMPLE.days} days of events") as step:
            made = generate.write(SAMPLE, source)
            step.result = f"{made.events:,} events, {made.songs:,} songs"
    with screen.step("Upload to S3") as step:
        done = upload.sync(source, store, lambda count: step.update(f"{count:,} objects"))
        step.result = f"{done.written:,} objects written ({done.written_bytes:,} bytes), {done.unchanged:,} unchanged"
    with screen.step("Prepare Airflow"):
        airflow.configure(job.state / "airflow", postgres=postgres, database=job.database, s3=s3, bucket=job.name)
        airflow.migrate()

    succeeded, checks = _load_hourly(job, screen) if job.hourly else _load_range(job, screen)
    if not succeeded:
        screen.failed(job.state / "run.log", checks)
        return 1
    screen.answers(database, checks)
    screen.next(job.command, hourly=job.hourly, sample=job.source is None)
    return 0


def _load_range(job: Job, screen: report.Screen) -> tuple[bool, list[dict[str, str]]]:
    """One run with an explicit range; its tasks are shown as they end."""
    checks: list[dict[str, str]] = []

    def tell(task: airflow.Task) -> None:
        checks.extend(task.checks)
        screen.task(task)

    screen.heading(f"DAG {airflow.DAG_ID}, one run for the whole range")
    return airflow.load(tell, conf={"start": job.start.isoformat(), "end": job.end.isoformat()}), checks


def _load_hourly(job: Job, screen: report.Screen) -> tuple[bool, list[dict[str, str]]]:
    """A run for every hour; each hour is a line."""
    hours = int((job.end - job.start) / timedelta(hours=1))
    screen.heading(f"DAG {airflow.DAG_ID}, {hours} hourly runs")
    checks: list[dict[str, str]] = []
    for number in range(hours):
        start = job.start + timedelta(hours=number)
        tasks: list[airflow.Task] = []
        began = time.monotonic()
        # Under this timetable a run made by hand for a moment gets the interval that ends there.
        succeeded = airflow.load(tasks.append, logical_date=start + timedelta(hours=1))
        checks = _combine(checks, [check for task in tasks for check in task.checks])
        screen.hour(start, tasks, time.monotonic() - began)
        if not succeeded:
            return False, checks
    return True, checks


def _combine(known: list[dict[str, str]], more: list[dict[str, str]]) -> list[dict[str, str]]:
    """Keep, for each check, its worst outcome."""
    outcomes = {check["name"]: check for check in known}
    for check in more:
        if check["name"] not in outcomes or not check["passed"]:
            outcomes[check["name"]] = check
    return list(outcomes.values())


@contextmanager
def _own_screen(log: Path) -> Iterator[Console]:
    """Keep the screen for this program; what Airflow and its tasks print goes to a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    screen = os.dup(1)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    saved = os.dup(2)
    os.dup2(file, 1)
    os.dup2(file, 2)
    try:
        with os.fdopen(os.dup(screen), "w", encoding="utf-8") as stream:
            yield Console(file=stream, highlight=False)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(screen, 1)
        os.dup2(saved, 2)
        for descriptor in (file, screen, saved):
            os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main())
