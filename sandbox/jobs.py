"""Load jobs on a laptop: the data to load, the servers, and the lock of their state."""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import re
import shlex
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from sandbox import airflow, generate, servers, upload
from sandbox.components import stop_leftovers
from sparkify.interval import Interval, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.terminal import Terminal

# The generated data, if none is given.
SAMPLE = generate.Options()

# The command that uses a state until `make down`.
UP = "make up"


class BusyError(Exception):
    """Another command is using the same state; the message says what to do."""


def metadata_name(name: str) -> str:
    """Return the name of the metadata database of an Airflow.

    :param name: of the warehouse that it loads.
    """
    return f"{name}-metadata"


def scheduler_home(state: Path, name: str) -> Path:
    """Return the folder of an Airflow, with its keys and logs."""
    return state / "scheduler" / name


def stop_schedulers(state: Path) -> list[str]:
    """Stop Airflow processes of a killed command, and return their names.

    They would continue to load, or fail without the servers.
    """
    return [name for home in sorted((state / "scheduler").glob("*")) for name in stop_leftovers(home)]


@dataclass
class LoadJob:
    """What to load.

    :param source: a folder or an archive with ``log_data/``, ``song_data/`` and more; None for the generated sample.
    :param start: start of the range, inclusive.
    :param end: end of the range, exclusive.
    :param hourly: whether each hour has its own run, instead of one run for the range.
    :param state: the folder of the servers' data.
    """

    source: Path | None
    start: datetime
    end: datetime
    hourly: bool
    state: Path

    @property
    def name(self) -> str:
        """A name for the data, its bucket and its warehouse, unique per source."""
        if self.source is None:
            return "sparkify-sample"
        stem = re.sub(r"[^a-z0-9]+", "-", self.source.name.lower().split(".")[0])[:40].strip("-")
        return f"{stem or 'data'}-{hashlib.sha256(str(self.source).encode()).hexdigest()[:6]}"

    @property
    def metadata(self) -> str:
        """A name for the metadata database of the Airflow that loads this warehouse.

        Another warehouse has another one: a backfill skips the hours that have a run.
        """
        return metadata_name(self.name)

    @property
    def home(self) -> Path:
        """The folder of that Airflow, with its keys and logs."""
        return scheduler_home(self.state, self.name)

    def command(self, target: str) -> str:
        """Return the command line that does this job.

        :param target: ``run`` or ``backfill``.
        """
        words = [f"make {target}"]
        if self.source:
            words.append(f"DATA={shlex.quote(str(self.source))}")
        return " ".join([*words, f"FROM={_short(self.start)}", f"TO={_short(self.end)}"])


@dataclass(frozen=True)
class JobServers:
    """The running servers of a job.

    :param postgres: the server of the warehouse.
    :param database: the warehouse's URI.
    :param s3: the server of the source files; the bucket has the job's name.
    """

    postgres: servers.PostgresServer
    database: str
    s3: servers.S3Server


def parser(prog: str, description: str | None) -> argparse.ArgumentParser:
    """Return the command-line parser of a job."""
    made = argparse.ArgumentParser(prog=prog, description=description)
    made.add_argument(
        "--data", type=Path, help="a folder or a .tar.gz with log_data/, song_data/ and the folders of further sources"
    )
    made.add_argument("--from", dest="start", type=_moment, help="first day (or ISO time), UTC")
    made.add_argument("--to", dest="end", type=_moment, help="first day after (or ISO time), UTC")
    made.add_argument("--state", type=Path, default=airflow.ROOT / ".local", help="folder of the servers' data")
    return made


def read_job(parser: argparse.ArgumentParser, options: argparse.Namespace, *, hourly: bool) -> LoadJob:
    """Return the job of a command line; missing arguments are derived from the data."""
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
            parser.error(f"{source} has no log_data/YYYY/MM/YYYY-MM-DD-events.json: set FROM and TO.")
        start, end = start or min(days), end or max(days) + timedelta(days=1)
    if end <= start:
        parser.error(f"TO ({end:%Y-%m-%d %H:%M}) must be after FROM ({start:%Y-%m-%d %H:%M}): TO is exclusive.")
    try:
        Interval(start, end).for_one_run()
    except ValueError as error:
        parser.error(f"FROM and TO: {error}.")
    if hourly and any(end_.minute or end_.second or end_.microsecond for end_ in (start, end)):
        parser.error("There is a run for every whole hour: give FROM and TO without minutes.")
    return LoadJob(source, start, end, hourly, options.state.resolve())


@contextmanager
def start_servers(
    job: LoadJob, terminal: Terminal, meanwhile: Callable[[], None] | None = None
) -> Iterator[JobServers]:
    """Start the servers of a job and upload its files to the bucket.

    :param meanwhile: prepares Airflow while PostgreSQL starts, which takes seconds if its data is new.
    :raises upload.SourceError: if the source is invalid.
    """
    stop_schedulers(job.state)
    with ExitStack() as stack:
        what = "Start PostgreSQL, S3 and Airflow" if meanwhile else "Start PostgreSQL and an S3 server"
        with terminal.step(what), ThreadPoolExecutor() as threads:
            starting = threads.submit(stack.enter_context, servers.postgres(job.state / "postgres"))
            if meanwhile:
                meanwhile()
            postgres = starting.result()
            s3 = stack.enter_context(servers.s3(job.state / "s3"))
            database = postgres.create_database(job.name)
            store = servers.bucket(s3, job.name)
        source = job.source
        if source is None:
            source = job.state / "sample"
            with terminal.step(f"Generate {SAMPLE.days} days of events") as step:
                made = generate.write(SAMPLE, source)
                step.result = f"{made.events:,} events, {made.songs:,} songs"
        with terminal.step("Upload to S3") as step:
            done = upload.sync(source, store, lambda count: step.update(f"{count:,} objects"))
            step.result = f"{done.written:,} objects written, {done.unchanged:,} unchanged"
        yield JobServers(postgres, database, s3)


class LockOwner(NamedTuple):
    """The command that has locked a state.

    :param command: for example ``make run``.
    """

    pid: int
    command: str


@contextmanager
def lock_state(state: Path, command: str) -> Iterator[None]:
    """Lock the state for this process; the lock is released when the process ends, even if killed.

    Files that this process and its children create meanwhile are private to this user: data, logs, passwords.

    :param command: the name of this command, which other commands report.
    :raises BusyError: if another command has locked it.
    """
    servers.private(state)
    with _umask(0o077), (state / "lock").open("a+") as file:
        for _ in range(10):
            with suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            time.sleep(0.05)  # another process may hold it for a moment, in lock_owner()
        else:
            other = _read_owner(file)
            remedy = "`make down` stops it" if other.command == UP else "wait until it ends, or stop it"
            raise BusyError(
                f"{other.command} (process {other.pid}) is using {state}: {remedy}. "
                "(Two would stop each other's servers.)"
            )
        file.truncate(0)
        file.write(f"{os.getpid()} {command}")
        file.flush()
        yield


@contextmanager
def _umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def lock_owner(state: Path) -> LockOwner | None:
    """Return the command that has locked a state, or None."""
    try:
        with (state / "lock").open("r") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _read_owner(file)
    except FileNotFoundError:
        pass
    return None


def _read_owner(file: IO[str]) -> LockOwner:
    for _ in range(10):
        file.seek(0)
        pid, _, command = file.read().partition(" ")
        if command:
            return LockOwner(int(pid), command)
        time.sleep(0.05)  # it has the lock, but has not written its name yet
    return LockOwner(0, "Another command")


def _moment(text: str) -> datetime:
    try:
        return moment(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}: expected a day such as 2018-11-01") from None


def _short(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}" if moment.time() == datetime.min.time() else f"{moment:%Y-%m-%dT%H:%M}"


def _day(key: str) -> datetime | None:
    match = re.search(r"(\d{4}-\d{2}-\d{2})-events\.json", key)
    try:
        return _moment(match[1]) if match else None
    except argparse.ArgumentTypeError:  # no day of the calendar
        return None
