"""The processes of Airflow's components: those that a killed command has left running are stopped."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil
import pytest

from sandbox.components import stop_leftovers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# With the tests of the scheduler, one after the other: they kill processes by their session.
pytestmark = pytest.mark.scheduler

# A component that has begun a task: in its session, out of its process group.
COMPONENT = """
import os, subprocess, sys
task = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", *sys.argv[1:]], process_group=0)
print(task.pid, flush=True)
task.wait()
"""


@contextmanager
def component(*words: str) -> Iterator[tuple[psutil.Process, psutil.Process]]:
    """Start a process in its own session, and a child of it, with some words on their command lines."""
    with subprocess.Popen(
        [sys.executable, "-c", COMPONENT, *words], stdout=subprocess.PIPE, start_new_session=True, text=True
    ) as process:
        assert process.stdout
        child = psutil.Process(int(process.stdout.readline()))
        try:
            yield psutil.Process(process.pid), child
        finally:
            process.kill()
            if child.is_running():
                child.kill()


def note(home: Path, process: psutil.Process, *, later: float = 0) -> None:
    """Save a scheduler's process as ``remember`` does."""
    (home / "processes.json").write_text(json.dumps({"scheduler": [process.pid, process.create_time() + later]}))


def ended(process: psutil.Process) -> bool:
    """Return whether a process has exited; a zombie counts as exited."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def test_leftovers_of_a_killed_command_are_stopped(tmp_path: Path) -> None:
    with component("airflow") as (scheduler, task):
        note(tmp_path, scheduler)
        assert stop_leftovers(tmp_path) == ["scheduler"]
        assert ended(scheduler)
        assert ended(task)
    assert stop_leftovers(tmp_path) == []


@pytest.mark.parametrize("text", ["", "[", "\0"])
def test_a_truncated_process_file_is_deleted(tmp_path: Path, text: str) -> None:
    (tmp_path / "processes.json").write_text(text)
    assert stop_leftovers(tmp_path) == []
    assert not (tmp_path / "processes.json").exists()


def test_tasks_that_outlive_their_scheduler_are_stopped(tmp_path: Path) -> None:
    with component("airflow") as (scheduler, task):
        note(tmp_path, scheduler)
        scheduler.kill()
        assert ended(scheduler)
        assert alive(task)
        assert stop_leftovers(tmp_path) == ["scheduler"]
        assert ended(task)


def test_a_reused_process_id_is_not_stopped(tmp_path: Path) -> None:
    with component("airflow") as (other, child):
        note(tmp_path, other, later=-1)
        assert stop_leftovers(tmp_path) == []
        assert alive(other)
        assert alive(child)


def test_other_processes_are_not_stopped(tmp_path: Path) -> None:
    with component("another") as (other, child):
        note(tmp_path, other)
        assert stop_leftovers(tmp_path) == []
        assert alive(other)
        assert alive(child)
