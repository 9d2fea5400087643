"""``make up``: Airflow in the background, with a feeder of events; and the commands that use it."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import psutil
from rich.console import Console
from rich.markup import escape

from sandbox import airflow, break_events, change, jobs, live, logs, servers, status
from sandbox.live_state import SupervisorFiles, SupervisorState
from sandbox.terminal import Terminal

if TYPE_CHECKING:
    from sandbox.live_state import StartupStep

PORT = 8080
# Timeout of the shutdown, in seconds; running tasks have 15 of them.
DOWN = 60.0
# Exit code of `make status` if nothing runs, as in init scripts.
NOT_RUNNING = 3


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return the exit code."""
    given = _parser().parse_args(arguments)
    files = SupervisorFiles(given.state.resolve())
    if given.command == "serve":
        return live.serve(files.state, given.port)
    console = Console(highlight=False)
    try:
        if given.command == "up":
            return up(files, given.port, console)
        if given.command == "down":
            return down(files, console)
        if given.command == "status":
            return show_status(files, console)
        if given.command in ("psql", "break", "repair", "change", "alert-test"):
            return _use(given.command, files, console)
        return logs.show(files, given.components, console, follow=given.follow, lines=given.lines)
    except jobs.BusyError as error:
        console.print(f"[red]✗[/] {escape(str(error))}", soft_wrap=True)
        return 2
    except KeyboardInterrupt:
        if given.command == "up":
            console.print("\nInterrupted. The start continues in the background: `make status` or `make down`.")
        return 130


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--state", type=Path, default=airflow.ROOT / ".local", help="folder of the servers' data")
    parser = argparse.ArgumentParser(prog="python -m sandbox.up", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, what in (("up", "start everything, and print the URL"), ("serve", "run the supervisor")):
        command = commands.add_parser(name, parents=[common], help=what)
        command.add_argument("--port", type=_port, required=name == "serve", help=f"of Airflow (default: {PORT})")
    commands.add_parser("down", parents=[common], help="stop everything")
    commands.add_parser("status", parents=[common], help="health of each component")
    commands.add_parser("psql", parents=[common], help="a SQL shell on the warehouse")
    commands.add_parser("alert-test", parents=[common], help="send a test alert through every configured channel")
    commands.add_parser("break", parents=[common], help="add invalid events to the current hour, to show an alert")
    commands.add_parser("repair", parents=[common], help="remove the invalid events")
    commands.add_parser("change", parents=[common], help="change the file of an old day, to see it loaded again")
    command = commands.add_parser("logs", parents=[common], help="follow the logs of all components")
    command.add_argument(
        "components", nargs="*", metavar="component", help=f"of {', '.join(logs.NAMES)}; all by default"
    )
    command.add_argument("--lines", type=int, default=20, help="number of initial lines per component (%(default)s)")
    command.add_argument("--no-follow", dest="follow", action="store_false", help="print the existing lines and exit")
    return parser


def _port(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: choose a number from 1 to 65535")
    return int(text)


# --- up ---


def up(files: SupervisorFiles, port: int | None, console: Console) -> int:
    """Start everything in the background, wait until it is ready, and print the URL.

    If it is already running, print its URL; if one of its components has exited, restart everything.

    :param port: of Airflow; None for the current one, or the default.
    :raises BusyError: if another command is using the state.
    """
    state = files.running()
    if state and state.ended:
        console.print(f"[yellow]The {' and the '.join(state.ended)} exited, restarting everything.[/]")
        if code := down(files, console):
            return code
        port, state = port or status.port(state), None
    if state is None:
        return _start(files, port or PORT, console)
    if port and status.port(state) not in (None, port):
        console.print(
            f"[red]✗[/] Already running at {state.url}. To change the port: make down, then make up PORT={port}",
            soft_wrap=True,
        )
        return 2
    if state.phase == "ready":
        console.print(f"[bold]Sparkify[/] is already running, since {status.moment(state.begun)} UTC.")
        status.addresses(state, files, console)
        return 0
    return _wait(files, psutil.Process(state.pid), console)


def _start(files: SupervisorFiles, port: int, console: Console) -> int:
    servers.private(files.state)
    files.folder.mkdir(mode=0o700, exist_ok=True)
    with files.log.open("ab") as log:
        process = psutil.Popen(
            [sys.executable, "-m", "sandbox.up", "serve", "--state", files.state, "--port", str(port)],
            cwd=airflow.ROOT,
            env={**os.environ, "PYTHONPATH": "plugins:dags"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return _wait(files, process, console)


def _wait(files: SupervisorFiles, process: psutil.Process, console: Console) -> int:
    """Show the steps of a supervisor's start; return the exit code."""
    console.print("[bold]Sparkify warehouse[/]  live, in the background\n")
    terminal = Terminal(console)
    shown = 0
    while True:
        state = _state_of(files, process)
        if state is None:
            console.print(f"[red]✗[/] The supervisor did not start. See {files.log}", soft_wrap=True)
            return 1
        if shown < len(state.steps):
            _show(files, process, shown, terminal)
            shown += 1
        elif state.phase == "ready":
            status.addresses(state, files, console)
            return 0
        elif state.phase != "starting" or not _alive(process):
            with suppress(psutil.TimeoutExpired):
                process.wait(DOWN)  # it writes its state shortly before it exits; the next command needs its lock
            return _failed(state, files, console)
        else:
            time.sleep(0.05)


def _state_of(files: SupervisorFiles, process: psutil.Process) -> SupervisorState | None:
    """Return the supervisor's state, once it is written; None if it exited without reporting an error."""
    while True:
        alive = _alive(process)
        state = files.load()
        if state and state.pid == process.pid:
            return state
        if not alive:
            return None
        time.sleep(0.05)


def _show(files: SupervisorFiles, process: psutil.Process, number: int, terminal: Terminal) -> None:
    """Show a step until it has ended."""

    def step() -> StartupStep:
        alive = _alive(process)
        state = _state_of(files, process)
        assert state
        found = state.steps[number]
        if found.state == "running" and not alive:
            found.state = "failed"
        return found

    now = step()
    with terminal.step(now.title) as shown:
        while now.state == "running":
            shown.update(now.result)
            time.sleep(0.05)
            now = step()
        shown.state, shown.result, shown.seconds = now.state, now.result, now.seconds


def _failed(state: SupervisorState, files: SupervisorFiles, console: Console) -> int:
    if state.error:
        console.print(f"\n[red]✗[/] {escape(state.error)}", soft_wrap=True)
        if "is taken" in state.error:
            console.print("  Choose another port: make up PORT=8081")
    elif state.phase == "stopped":
        console.print("\nStopped during the start.")
    else:
        console.print(f"\n[red]✗[/] The supervisor exited without reporting an error. See {files.log}", soft_wrap=True)
    return 1


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


# --- down ---


def down(files: SupervisorFiles, console: Console) -> int:
    """Stop everything, including processes that a killed supervisor has left running.

    :raises BusyError: if another command is using the state.
    """
    state = files.running()
    if state is None:
        if not files.state.exists():
            left = []
        else:
            with jobs.lock_state(files.state, "make down"):
                left = live.clear(files.state)
        text = f"Stopped processes of a killed command: {', '.join(left)}." if left else "Nothing is running."
        console.print(text, soft_wrap=True)
        return 0
    process = psutil.Process(state.pid)
    with Terminal(console).step("Stop everything") as step:
        process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + DOWN
        while jobs.lock_owner(files.state):
            if time.monotonic() > deadline:
                process.kill()
                process.wait(5)
                with jobs.lock_state(files.state, "make down"):
                    live.clear(files.state)
                step.result = "by force"
            time.sleep(0.1)
        process.wait(DOWN)  # it releases the lock shortly before it exits
        with suppress(jobs.BusyError), jobs.lock_state(files.state, "make down"):
            live.clear(files.state)  # processes that it could not stop; usually none
    return 0


def show_status(files: SupervisorFiles, console: Console) -> int:
    """Show the health of each component; return 0 if all are healthy."""
    state = files.running()
    if state is None:
        last = files.load()
        console.print("[bold]Sparkify[/] is not running. `make up` starts it.")
        if last and last.phase in ("starting", "ready"):
            console.print("It was not shut down cleanly: its supervisor was killed, or the machine went down.")
        elif last and last.phase == "failed":
            console.print(f"The last start failed: [red]{escape(last.error)}[/]", soft_wrap=True)
        return NOT_RUNNING
    return status.show(state, files, console)


def _use(command: str, files: SupervisorFiles, console: Console) -> int:
    """Run a command that needs the running servers; return the exit code."""
    state = files.running()
    if not (state and state.database):
        console.print("[bold]Sparkify[/] is not running. `make up` starts it.")
        return NOT_RUNNING
    if command == "psql":
        program = str(servers.psql())
        os.execv(program, [program, state.database])  # noqa: S606 - no shell needed
    if command == "alert-test":
        _send_test_alert(state)
    run = {"break": break_events.start, "repair": break_events.end, "change": change.start}[command]
    return run(state, files, console)


def _send_test_alert(state: SupervisorState) -> NoReturn:
    """Replace this process with a test alert, with the connections and Variables of the running Airflow."""
    settings = {
        "AIRFLOW_HOME": state.home,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": airflow.sqlalchemy_url(state.metadata),
        "PYTHONPATH": str(airflow.ROOT / "plugins"),
    }
    os.execve(sys.executable, [sys.executable, "-m", "sparkify.alerts"], {**os.environ, **settings})  # noqa: S606


if __name__ == "__main__":
    # Ignore the settings of another Airflow, here and in the processes that are started.
    for variable in [name for name in os.environ if name.startswith("AIRFLOW")]:
        del os.environ[variable]
    sys.exit(main())
