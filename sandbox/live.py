"""The supervisor of ``make up``: runs the servers, Airflow and the feeder until it is stopped.

It restarts nothing: components that exit are recorded, and shown by ``make status``; ``make up`` restarts everything.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING, NoReturn

import httpx
import psutil
import psycopg

from sandbox import airflow, feed, jobs, live_hours, servers
from sandbox.live_state import FEEDER, NAME, Component, Journal, Place, State
from sandbox.stack import Stack, StackError, airflow_stack, take_port
from sparkify.interval import moment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import FrameType

    from sandbox.feed import Report

# Exit codes: it failed and has reported why; another command is using the state.
FAILED, BUSY = 1, 75
# Seconds between polls of the processes, and of the hours that no run covers.
LOOK, CATCH_UP = 1.0, 20.0
# Seconds to wait for the feeder's first report, and for its clean exit.
FIRST_REPORT, FEEDER_GRACE = 300.0, 10.0
# Seconds to wait for the first load. If it fails, Airflow's retries take longer, and the user should see that.
LOADING = 120.0
# Seconds to wait until Airflow knows all DAGs, once it knows the first.
PARSED = 30.0


def serve(state: Path, port: int) -> int:
    """Run everything until SIGTERM; return the exit code."""
    place = Place(state)
    stop_on_sigterm()
    try:
        with jobs.alone(state, jobs.UP):
            journal = Journal(place, State(os.getpid(), datetime.now(UTC).isoformat(timespec="seconds")))
            try:
                _serve(place, port, journal)
            except SystemExit:
                journal.state.phase = "stopped"
                journal.say("Stopped.")
                raise
            except (StackError, RuntimeError, OSError, psycopg.Error, httpx.HTTPError) as error:
                journal.state.phase, journal.state.error = "failed", str(error)
                journal.say(str(error))
                return FAILED
            finally:
                journal.save()
    except jobs.BusyError as error:
        print(error, file=sys.stderr)
        return BUSY


def _serve(place: Place, port: int, journal: Journal) -> NoReturn:
    state = journal.state
    if left := clear(place.state):
        journal.say(f"Stopped processes of a killed command: {', '.join(left)}.")
    take_port(port)  # otherwise the error would come half a minute later
    with ExitStack() as context:
        with journal.step("Start PostgreSQL and an S3 server"):
            postgres = context.enter_context(servers.postgres(place.state / "postgres"))
            s3 = context.enter_context(servers.s3(place.state / "s3"))
            warehouse = jobs.warehouse_name(NAME)
            home = jobs.scheduler_home(place.state, warehouse)
            state.database, state.endpoint = postgres.create_database(warehouse), s3.endpoint
            state.metadata = postgres.create_database(jobs.metadata_name(warehouse))
            state.home = str(home)
            _note(state, "postgres", postgres.pid)
            _note(state, "s3", s3.pid)
            start = feed.first_day(servers.bucket(s3, NAME))
        environment = airflow.environment(
            home,
            metadata=airflow.sqlalchemy_url(state.metadata),
            postgres=postgres,
            database=warehouse,
            s3=s3,
            bucket=NAME,
        )
        with journal.step(f"Write the events since {start:%Y-%m-%d}") as step:
            feeder = context.enter_context(_feeder(place, s3, start))
            _note(state, FEEDER, feeder.pid)
            report = _first_report(place, feeder)
            step.update(f"{report.events:,} events today, {report.songs:,} songs")
        with journal.step("Start Airflow") as step:
            stack = context.enter_context(airflow_stack(home, environment, dag_id=airflow.DAG_ID, port=port))
            for name, process in stack.processes.items():
                _note(state, name, process.pid)
            state.url = stack.url
            step.update(stack.url)
        # Airflow modules imported here need its settings.
        os.environ.update(environment)
        catch_up = CatchUp(stack, place, start, journal)
        catch_up.begin()
        state.phase = "ready"
        journal.say(f"Ready: {stack.url}")
        journal.save()
        context.callback(journal.say, "Stopping.")
        looked = time.monotonic()
        while True:
            time.sleep(LOOK)
            if _look(state, journal):
                journal.save()
            if time.monotonic() - looked >= CATCH_UP:
                looked = time.monotonic()
                # Airflow or the database is down, which is reported above.
                with suppress(psycopg.Error, httpx.HTTPError):
                    catch_up.load()


class CatchUp:
    """Triggers runs for hours that no run covers and that the schedule will not load.

    :param stack: the Airflow that loads them.
    :param place: has the feeder's report.
    :param start: the first day of the generated data (UTC).
    :param journal: its state has the URI of Airflow's metadata database.
    """

    def __init__(self, stack: Stack, place: Place, start: date, journal: Journal) -> None:
        self._stack = stack
        self._place = place
        self._metadata = journal.state.metadata
        self._start = datetime(start.year, start.month, start.day, tzinfo=UTC)
        self._journal = journal
        self._report = cache(journal.say)  # each line once

    def begin(self) -> None:
        """Unpause the DAGs that never had a run, trigger the missing hours, and wait for them, up to a limit.

        A DAG that was paused by a user stays paused.

        :raises StackError: if Airflow stops.
        """
        self._unpause(airflow.REPORT_ID)  # first: it misses the days that are loaded while it is paused
        self._unpause(airflow.DAG_ID)
        if triggered := self.load():
            self._wait(triggered[0][0])
        self._unpause(airflow.AUDIT_ID)

    def _unpause(self, dag_id: str) -> None:
        """Unpause a DAG that never had a run."""
        deadline = time.monotonic() + PARSED
        while live_hours.schedule(self._metadata, dag_id) is None and time.monotonic() < deadline:
            time.sleep(0.2)
        if not live_hours.ever_ran(self._metadata, dag_id):
            with self._stack.client() as client:
                client.patch(f"/api/v2/dags/{dag_id}", json={"is_paused": False})

    def _wait(self, first: datetime) -> None:
        """Wait until the hours from ``first`` on are loaded, and report the progress."""
        # The schedule loads the last hour at the same time.
        last = live_hours.last_full(datetime.now(UTC))
        with self._journal.step(f"Load {first:%m-%d %H:%M} to {last:%m-%d %H:%M} UTC") as step:
            seen: set[str] = set()
            deadline = time.monotonic() + LOADING
            while time.monotonic() < deadline:
                runs = live_hours.runs(self._metadata, airflow.DAG_ID)
                under_way = {run.run_id for run in runs if run.state in ("queued", "running")}
                if not under_way:
                    break
                seen |= under_way
                self._stack.check()
                done, of = live_hours.tasks(self._metadata, airflow.DAG_ID, seen)
                step.update(f"{done} of {of} tasks")
                time.sleep(0.3)
            failed = sum(run.state == "failed" for run in runs if run.run_id in seen)
            if failed or under_way:
                step.update(f"{failed} runs failed" if failed else "continues in the background")
            else:
                with psycopg.connect(self._journal.state.database) as connection:
                    ((plays,),) = connection.execute("SELECT COUNT(*) FROM songplays").fetchall()
                step.update(f"{plays:,} plays")

    def load(self) -> list[tuple[datetime, datetime]]:
        """Trigger a run for each range that no run covers, and return the ranges; nothing while the DAG is paused."""
        schedule = live_hours.schedule(self._metadata, airflow.DAG_ID)
        report = self._place.report()
        if schedule is None or schedule.paused or report is None:
            return []
        # After a sleep the app first writes the missed events: a run must not precede it.
        until = min(datetime.now(UTC), moment(report.at))
        runs = live_hours.runs(self._metadata, airflow.DAG_ID, self._report)
        covered = (run.interval for run in runs)
        return live_hours.catch_up(covered, airflow.DAG_ID, self._start, until, self._stack.client, self._report)


def clear(state: Path) -> list[str]:
    """Stop processes that a killed command has left running on this process's state; return their names.

    The feeder exits with its supervisor.
    """
    return jobs.stop_schedulers(state) + servers.stop_leftovers(state)


@contextmanager
def _feeder(place: Place, s3: servers.S3, start: date) -> Iterator[subprocess.Popen[bytes]]:
    """Run the feeder. It exits when its standard input is closed, even if this process is killed."""
    place.feeder_report.unlink(missing_ok=True)
    words = ["--endpoint", s3.endpoint, "--bucket", NAME, "--start", str(start), "--report", str(place.feeder_report)]
    with place.feeder_log.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.feed", *words],
            cwd=airflow.ROOT,
            env={**os.environ, "PYTHONPATH": "plugins"},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        assert process.stdin
        process.stdin.close()
        try:
            process.wait(FEEDER_GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _first_report(place: Place, feeder: subprocess.Popen[bytes]) -> Report:
    deadline = time.monotonic() + FIRST_REPORT
    while time.monotonic() < deadline and feeder.poll() is None:
        if report := place.report():
            if report.error:
                raise StackError(f"The feeder cannot write to S3: {report.error}. See {place.feeder_log}.")
            return report
        time.sleep(0.1)
    raise StackError(f"The feeder has not written any data. See {place.feeder_log}.")


def _note(state: State, name: str, pid: int) -> None:
    created = psutil.Process(pid).create_time()
    since = datetime.fromtimestamp(created, UTC).isoformat(timespec="seconds")
    state.components[name] = Component(pid, created, since)


def _look(state: State, journal: Journal) -> list[str]:
    """Record which components have exited, and how; return them."""
    found = []
    for name, component in state.components.items():
        if component.ended is None and (how := _end(component.pid)):
            component.ended, component.how = datetime.now(UTC).isoformat(timespec="seconds"), how
            journal.say(f"The {name} (process {component.pid}) {how}.")
            found.append(name)
    return found


def _end(pid: int) -> str:
    """Return how a process exited; empty if it is running."""
    with suppress(psutil.NoSuchProcess):
        if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            return ""
    # The database is not a child process; macOS has waitid() from Python 3.13 on.
    with suppress(ChildProcessError, AttributeError):
        # WNOWAIT: the code that started the process waits for it, too.
        result = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if result and result.si_code == os.CLD_EXITED:
            return f"exited with code {result.si_status}"
        if result:
            return f"was killed by {signal.Signals(result.si_status).name}"
    return "exited"


def stop_on_sigterm() -> None:
    """Turn the first SIGTERM or SIGINT into a regular exit; ignore further ones, and SIGHUP."""

    def ignore(number: int, frame: FrameType | None) -> None:
        pass

    def leave(number: int, frame: FrameType | None) -> None:
        for other in (signal.SIGTERM, signal.SIGINT):
            signal.signal(other, ignore)  # not SIG_IGN, which new child processes would inherit
        sys.exit(0)

    signal.signal(signal.SIGHUP, ignore)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
