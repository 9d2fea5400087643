"""Processes that tests start, and the conditions that they wait for."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from sandbox.lab import TABLES
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# The project's DAG, with a retry delay of one second.
FAST_RETRIES = '''
"""An Airflow DAG."""
from datetime import timedelta

from sparkify_warehouse import dag

for task in dag.tasks:
    task.retry_delay = timedelta(seconds=1)
    task.retry_exponential_backoff = False
'''


def start_command(state: Path, *arguments: str, module: str = "sandbox.run") -> subprocess.Popen[str]:
    """Start ``make run`` or another command with its own state, without this process's Airflow settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    return subprocess.Popen(
        [sys.executable, "-m", module, "--state", str(state), *arguments],
        cwd=ROOT,
        env={**environment, "PYTHONPATH": "plugins:dags", "COLUMNS": "100"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def succeeded(process: subprocess.Popen[str]) -> str:
    """Wait for a command to succeed; return its output."""
    printed, _ = process.communicate(timeout=240)
    assert process.returncode == 0, printed
    return printed


def row_counts(printed: str) -> dict[str, int]:
    """Return the rows per table from a command's output."""
    return {name: int(re.search(rf"  {name} +([\d,]+)", printed)[1].replace(",", "")) for name in TABLES}  # type: ignore[index]


def left_behind(state: Path) -> list[str]:
    """Return the names of the running processes with the state in their command line."""
    return [
        process.info["name"]
        for process in psutil.process_iter(["name", "cmdline"])
        if process.pid != os.getpid() and any(str(state) in word for word in process.info["cmdline"] or [])
    ]


def session_members(sessions: list[int]) -> list[psutil.Process]:
    """Return the running processes of sessions; zombies do not count."""
    found = []
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, psutil.NoSuchProcess):
            in_session = process.pid and os.getsid(process.pid) in sessions
            if in_session and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def wait_until(condition: Callable[[], Any], seconds: float = 180) -> Any:
    """Poll a condition until it is true; return its value, or fail the test."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    pytest.fail(f"The condition did not become true within {seconds} s.")
