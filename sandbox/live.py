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
from typing import TYPE_CHECKING, NoReturn

import httpx
import psutil
import psycopg

from sandbox import airflow, dag_runs, feeder, jobs, servers
from sandbox.deployment import DeploymentError, LocalDeployment, run_deployment, take_port
from sandbox.first_load import FirstLoad
from sandbox.live_state import FEEDER, NAME, Component, StateRecorder, SupervisorFiles, SupervisorState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import FrameType

    from sandbox.feeder import FeederProgress

# Exit codes: it failed and has reported why; another command is using the state.
FAILED, BUSY = 1, 75
# Seconds between polls of the processes, and of the first load.
POLL_PROCESSES, POLL_LOAD = 1.0, 20.0
# How often the bucket is compared with the warehouse. It is hourly by default, and cheap.
RECONCILE_SCHEDULE = "*/5 * * * *"
# Seconds to wait for the feeder's first progress, and for its clean exit.
FIRST_PROGRESS, FEEDER_GRACE = 300.0, 10.0
# Seconds to wait for the first load. If it fails, Airflow's retries take longer, and the user should see that.
LOADING = 180.0


def serve(state: Path, port: int) -> int:
    """Run everything until SIGTERM; return the exit code."""
    files = SupervisorFiles(state)
    stop_on_sigterm()
    try:
        with jobs.lock_state(state, jobs.UP):
            recorder = StateRecorder(
                files, SupervisorState(os.getpid(), datetime.now(UTC).isoformat(timespec="seconds"))
            )
            try:
                _serve(files, port, recorder)
            except SystemExit:
                recorder.state.phase = "stopped"
                recorder.log("Stopped.")
                raise
            except (DeploymentError, RuntimeError, OSError, psycopg.Error, httpx.HTTPError) as error:
                recorder.state.phase, recorder.state.error = "failed", str(error)
                recorder.log(str(error))
                return FAILED
            finally:
                recorder.save()
    except jobs.BusyError as error:
        print(error, file=sys.stderr)
        return BUSY


def _serve(files: SupervisorFiles, port: int, recorder: StateRecorder) -> NoReturn:
    state = recorder.state
    if left := clear(files.state):
        recorder.log(f"Stopped processes of a killed command: {', '.join(left)}.")
    take_port(port)  # otherwise the error would come half a minute later
    with ExitStack() as context:
        with recorder.step("Start PostgreSQL and an S3 server"):
            postgres = context.enter_context(servers.postgres(files.state / "postgres"))
            s3 = context.enter_context(servers.s3(files.state / "s3"))
            home = jobs.scheduler_home(files.state, NAME)
            state.database, state.endpoint = postgres.create_database(NAME), s3.endpoint
            state.metadata = postgres.create_database(jobs.metadata_name(NAME))
            state.home = str(home)
            _add_component(state, "postgres", postgres.pid)
            _add_component(state, "s3", s3.pid)
            start = feeder.first_day(servers.bucket(s3, NAME))
        environment = {
            **airflow.environment(
                home,
                metadata=airflow.sqlalchemy_url(state.metadata),
                postgres=postgres,
                database=NAME,
                s3=s3,
                bucket=NAME,
            ),
            "AIRFLOW__SPARKIFY__RECONCILE_SCHEDULE": RECONCILE_SCHEDULE,
        }
        # It writes the events while Airflow starts.
        process = context.enter_context(_feeder(files, s3, start))
        _add_component(state, FEEDER, process.pid)
        with recorder.step("Start Airflow") as update:
            deployment = context.enter_context(run_deployment(home, environment, dag_ids=FirstLoad.DAGS, port=port))
            for name, component in deployment.processes.items():
                _add_component(state, name, component.pid)
            state.url = deployment.url
            update(deployment.url)
        with recorder.step(f"Write the events since {start:%Y-%m-%d}") as update:
            progress = _first_progress(files, process)
            update(f"{progress.events:,} events today, {progress.songs:,} songs")
        # Airflow modules imported here need its settings.
        os.environ.update(environment)
        client = context.enter_context(deployment.client())
        first_load = FirstLoad(client, start)
        if not first_load.advance():
            _load_history(first_load, start, deployment, recorder)
        state.phase = "ready"
        recorder.log(f"Ready: {deployment.url}")
        recorder.save()
        context.callback(recorder.log, "Stopping.")
        polled = time.monotonic()
        while True:
            time.sleep(POLL_PROCESSES)
            if _record_exits(state, recorder):
                recorder.save()
            if time.monotonic() - polled >= POLL_LOAD:
                polled = time.monotonic()
                # Airflow is down, which is recorded above.
                with suppress(httpx.HTTPError):
                    first_load.advance()


def _load_history(first_load: FirstLoad, start: date, deployment: LocalDeployment, recorder: StateRecorder) -> None:
    """Wait until the events are loaded, up to a limit, and report the progress."""
    metadata = recorder.state.metadata
    with recorder.step(f"Load the events since {start:%Y-%m-%d}") as update:
        seen: set[str] = set()
        deadline = time.monotonic() + LOADING
        while not (loaded := first_load.advance()) and time.monotonic() < deadline:
            deployment.check()
            runs = dag_runs.read_runs(metadata, airflow.DAG_ID)
            seen |= {run.run_id for run in runs if run.state in ("queued", "running")}
            done, of = dag_runs.task_counts(metadata, airflow.DAG_ID, seen)
            update(f"{done} of {of} tasks")
            time.sleep(0.3)
        runs = dag_runs.read_runs(metadata, airflow.DAG_ID)
        failed = sum(run.state == "failed" for run in runs if run.run_id in seen)
        if failed or not loaded:
            update(f"{failed} runs failed" if failed else "continues in the background")
        else:
            with psycopg.connect(recorder.state.database) as connection:
                ((plays,),) = connection.execute("SELECT COUNT(*) FROM songplays").fetchall()
            update(f"{plays:,} plays")


def clear(state: Path) -> list[str]:
    """Stop processes that a killed command has left running on this process's state; return their names.

    The feeder exits with its supervisor.
    """
    return jobs.stop_schedulers(state) + servers.stop_leftovers(state)


@contextmanager
def _feeder(files: SupervisorFiles, s3: servers.S3Server, start: date) -> Iterator[subprocess.Popen[bytes]]:
    """Run the feeder. It exits when its standard input is closed, even if this process is killed."""
    files.feeder_progress.unlink(missing_ok=True)
    words = [
        "--endpoint",
        s3.endpoint,
        "--bucket",
        NAME,
        "--start",
        str(start),
        "--progress",
        str(files.feeder_progress),
        "--fault",
        str(files.fault),
    ]
    with files.feeder_log.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.feeder", *words],
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


def _first_progress(files: SupervisorFiles, feeder: subprocess.Popen[bytes]) -> FeederProgress:
    deadline = time.monotonic() + FIRST_PROGRESS
    while time.monotonic() < deadline and feeder.poll() is None:
        if progress := files.progress():
            if progress.error:
                raise DeploymentError(f"The feeder cannot write to S3: {progress.error}. See {files.feeder_log}.")
            return progress
        time.sleep(0.1)
    raise DeploymentError(f"The feeder has not written any data. See {files.feeder_log}.")


def _add_component(state: SupervisorState, name: str, pid: int) -> None:
    created = psutil.Process(pid).create_time()
    since = datetime.fromtimestamp(created, UTC).isoformat(timespec="seconds")
    state.components[name] = Component(pid, created, since)


def _record_exits(state: SupervisorState, recorder: StateRecorder) -> list[str]:
    """Record which components have exited, and how; return them."""
    found = []
    for name, component in state.components.items():
        if component.ended is None and (how := _exit_of(component.pid)):
            component.ended, component.how = datetime.now(UTC).isoformat(timespec="seconds"), how
            recorder.log(f"The {name} (process {component.pid}) {how}.")
            found.append(name)
    return found


def _exit_of(pid: int) -> str:
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
