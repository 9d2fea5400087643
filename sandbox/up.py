"""``make up``, ``down``, ``status``, ``logs`` and ``psql``: Airflow in the background, with an app that feeds it."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from rich.console import Console
from rich.markup import escape

from sandbox import airflow, jobs, live, logs, report, servers, status
from sandbox.live_state import Place, State

if TYPE_CHECKING:
    from sandbox.live_state import Step

PORT = 8080
# Seconds for everything to end: the tasks under way have 15 of them.
DOWN = 60.0
# `make status` where nothing runs, as init scripts have it.
NOT_RUNNING = 3


def main(arguments: list[str] | None = None) -> int:
    """Do one of them; return the exit code."""
    given = _parser().parse_args(arguments)
    place = Place(given.state.resolve())
    if given.command == "serve":
        return live.serve(place.state, given.port)
    console = Console(highlight=False)
    try:
        if given.command == "up":
            return up(place, given.port, console)
        if given.command == "down":
            return down(place, console)
        if given.command == "status":
            return show_status(place, console)
        if given.command == "psql":
            return psql(place, console)
        return logs.show(place, given.components, console, follow=given.follow, lines=given.lines)
    except jobs.BusyError as error:
        console.print(f"[red]✗[/] {escape(str(error))}", soft_wrap=True)
        return 2
    except KeyboardInterrupt:
        if given.command == "up":
            console.print("\nInterrupted. It goes on starting in the background: `make status` or `make down`.")
        return 130


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--state", type=Path, default=airflow.ROOT / ".local", help="folder of the servers' data")
    parser = argparse.ArgumentParser(prog="python -m sandbox.up", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, what in (("up", "start everything, and say where it is"), ("serve", "be the supervisor")):
        command = commands.add_parser(name, parents=[common], help=what)
        command.add_argument("--port", type=_port, required=name == "serve", help=f"of Airflow (default: {PORT})")
    commands.add_parser("down", parents=[common], help="stop everything")
    commands.add_parser("status", parents=[common], help="how it is")
    commands.add_parser("psql", parents=[common], help="a terminal of the warehouse")
    command = commands.add_parser("logs", parents=[common], help="what the processes print")
    command.add_argument(
        "components", nargs="*", metavar="component", help=f"of {', '.join(logs.NAMES)}; all by default"
    )
    command.add_argument("--lines", type=int, default=20, help="how many of each to begin with (%(default)s)")
    command.add_argument("--no-follow", dest="follow", action="store_false", help="end with what there is")
    return parser


def _port(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: choose a number from 1 to 65535")
    return int(text)


# --- up ---


def up(place: Place, port: int | None, console: Console) -> int:
    """Start everything in the background, wait until it is ready, and say where it is.

    Where it runs, that is said; where a part of it has ended, all is started anew.

    :param port: of Airflow; None for the one it has, or the default.
    :raises BusyError: where another command works on the state.
    """
    state = place.running()
    if state and state.ended:
        console.print(f"[yellow]The {' and the '.join(state.ended)} ended by itself: start all anew.[/]")
        if code := down(place, console):
            return code
        port, state = port or status.port(state), None
    if state is None:
        return _start(place, port or PORT, console)
    if port and status.port(state) not in (None, port):
        console.print(
            f"[red]✗[/] It runs at {state.url}. To move it: make down, then make up PORT={port}", soft_wrap=True
        )
        return 2
    if state.phase == "ready":
        console.print(f"[bold]Sparkify[/] runs already, since {status.moment(state.begun)} UTC.")
        status.addresses(state, place, console)
        return 0
    return _wait(place, psutil.Process(state.pid), console)


def _start(place: Place, port: int, console: Console) -> int:
    servers.private(place.state)
    place.folder.mkdir(mode=0o700, exist_ok=True)
    with place.log.open("ab") as log:
        process = psutil.Popen(
            [sys.executable, "-m", "sandbox.up", "serve", "--state", place.state, "--port", str(port)],
            cwd=airflow.ROOT,
            env={**os.environ, "PYTHONPATH": "plugins:dags"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return _wait(place, process, console)


def _wait(place: Place, process: psutil.Process, console: Console) -> int:
    """Show the steps of a supervisor's start; return the exit code."""
    console.print("[bold]Sparkify warehouse[/]  live, in the background\n")
    screen = report.Screen(console)
    shown = 0
    while True:
        state = _told(place, process)
        if state is None:
            console.print(f"[red]✗[/] It did not start. See {place.log}", soft_wrap=True)
            return 1
        if shown < len(state.steps):
            _show(place, process, shown, screen)
            shown += 1
        elif state.phase == "ready":
            status.addresses(state, place, console)
            return 0
        elif state.phase != "starting" or not _alive(process):
            return _failed(state, place, console)
        else:
            time.sleep(0.05)


def _told(place: Place, process: psutil.Process) -> State | None:
    """Return what a supervisor tells, once it does; None where it ended without a word."""
    while True:
        alive = _alive(process)
        state = place.load()
        if state and state.pid == process.pid:
            return state
        if not alive:
            return None
        time.sleep(0.05)


def _show(place: Place, process: psutil.Process, number: int, screen: report.Screen) -> None:
    """Show a step until it has ended."""

    def step() -> Step:
        alive = _alive(process)
        state = _told(place, process)
        assert state
        found = state.steps[number]
        if found.state == "running" and not alive:
            found.state = "failed"
        return found

    now = step()
    with screen.step(now.title) as shown:
        while now.state == "running":
            shown.update(now.result)
            time.sleep(0.05)
            now = step()
        shown.state, shown.result, shown.seconds = now.state, now.result, now.seconds


def _failed(state: State, place: Place, console: Console) -> int:
    if state.error:
        console.print(f"\n[red]✗[/] {escape(state.error)}", soft_wrap=True)
        if "is taken" in state.error:
            console.print("  PORT=<another> moves Airflow: make up PORT=8081")
    elif state.phase == "stopped":
        console.print("\nIt was stopped while it started.")
    else:
        console.print(f"\n[red]✗[/] The supervisor ended without a word. See {place.log}", soft_wrap=True)
    return 1


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


# --- down ---


def down(place: Place, console: Console) -> int:
    """Stop everything, and nothing else: also what a killed supervisor left running.

    :raises BusyError: where another command works on the state.
    """
    state = place.running()
    if state is None:
        if not place.state.exists():
            left = []
        else:
            with jobs.alone(place.state, "make down"):
                left = live.clear(place.state)
        text = f"Stopped what a killed command had left running: {', '.join(left)}." if left else "Nothing runs."
        console.print(text, soft_wrap=True)
        return 0
    process = psutil.Process(state.pid)
    with report.Screen(console).step("Stop everything") as step:
        process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + DOWN
        while jobs.owner(place.state):
            if time.monotonic() > deadline:
                process.kill()
                process.wait(5)
                with jobs.alone(place.state, "make down"):
                    live.clear(place.state)
                step.result = "by force"
            time.sleep(0.1)
        process.wait(DOWN)  # it lets go of the state a moment before its end
        with suppress(jobs.BusyError), jobs.alone(place.state, "make down"):
            live.clear(place.state)  # what it could not stop; usually there is nothing
    return 0


def show_status(place: Place, console: Console) -> int:
    """Show how everything is; return 0 where all is well."""
    state = place.running()
    if state is None:
        last = place.load()
        console.print("[bold]Sparkify[/] does not run. `make up` starts it.")
        if last and last.phase in ("starting", "ready"):
            console.print("It was not stopped: its supervisor was killed, or the machine went down.")
        elif last and last.phase == "failed":
            console.print(f"It failed: [red]{escape(last.error)}[/]", soft_wrap=True)
        return NOT_RUNNING
    return status.show(state, place, console)


def psql(place: Place, console: Console) -> int:
    """Become PostgreSQL's terminal client of the warehouse."""
    state = place.running()
    if state and state.database:
        program = str(servers.psql())
        os.execv(program, [program, state.database])  # noqa: S606 - it needs no shell
    console.print("[bold]Sparkify[/] does not run. `make up` starts it.")
    return NOT_RUNNING


if __name__ == "__main__":
    # What is set for another Airflow is not for this one, nor for what is imported of Airflow here.
    for variable in [name for name in os.environ if name.startswith("AIRFLOW")]:
        del os.environ[variable]
    sys.exit(main())
