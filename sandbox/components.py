"""The processes of Airflow's components, and of their tasks.

Each component runs in its own session: a task leaves its component's process group, but not its session, so stopping
the sessions stops every process. They are saved in the folder of their Airflow: the next command stops those that a
killed one has left running.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping

# Python collects garbage so often that it takes a quarter of the time in which a component starts, and a task inherits
# that from the scheduler. What Airflow imports and builds is never garbage.
COMMAND = "import gc; gc.set_threshold(100_000); from airflow.__main__ import main; main()"
# Timeout for running tasks, in seconds, when Airflow is stopped.
GRACE = 15.0


def start(command: list[str], settings: Mapping[str, str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a command of Airflow in a session of its own.

    :param command: its words after ``airflow``.
    :param settings: its environment variables.
    :param log: for what it prints.
    """
    return subprocess.Popen(
        [sys.executable, "-P", "-c", COMMAND, *command],
        env=settings,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def stop(processes: Mapping[str, subprocess.Popen[bytes]]) -> None:
    """Stop the scheduler, which waits for running tasks, and then kill the remaining processes of the sessions.

    The other components have nothing to finish: their state is in the metadata database. Their shutdown would take up
    to fifteen seconds.
    """
    if scheduler := processes.get("scheduler"):
        scheduler.terminate()
        with suppress(subprocess.TimeoutExpired):
            scheduler.wait(GRACE)
    _kill(_members([process.pid for process in processes.values()]))
    for process in processes.values():
        process.wait()


def stop_leftovers(home: Path) -> list[str]:
    """Stop Airflow processes of this home that a killed process has left running; return the components' names."""
    try:
        known = json.loads(_note(home).read_text())
    except FileNotFoundError:
        return []
    except ValueError:  # the machine went down while it was written
        known = {}
    stopped = []
    for name, (session, created) in known.items():
        with suppress(psutil.NoSuchProcess):
            if psutil.Process(session).create_time() != created:
                continue  # another process has this id now
        # A session without its component may still have tasks; their titles contain Airflow.
        if left := [process for process in _members([session]) if "airflow" in _command(process)]:
            _kill(left)
            stopped.append(name)
    _note(home).unlink()
    return stopped


def _note(home: Path) -> Path:
    return home / "processes.json"


def remember(home: Path, processes: Mapping[str, subprocess.Popen[bytes]]) -> None:
    """Save the sessions and their start times, so that the next command can stop them if this process is killed."""
    known = {name: (process.pid, psutil.Process(process.pid).create_time()) for name, process in processes.items()}
    _note(home).write_text(json.dumps(known))


def forget(home: Path) -> None:
    """Delete the saved sessions, after they were stopped."""
    _note(home).unlink(missing_ok=True)


def _members(sessions: list[int]) -> list[psutil.Process]:
    found = []
    psutil.process_iter.cache_clear()  # a reused process id must not return the cached process
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, PermissionError):
            if process.pid and os.getsid(process.pid) in sessions:
                found.append(process)
    return found


def _command(process: psutil.Process) -> str:
    with suppress(psutil.NoSuchProcess):
        return " ".join(process.cmdline())
    return ""


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=GRACE)


if __name__ == "__main__":
    for home in sys.argv[1:]:
        for name in stop_leftovers(Path(home)):
            print(f"Stopped Airflow's {name}, which an interrupted command had left running.")
