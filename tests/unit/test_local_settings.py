"""Packages that are imported before tasks are forked."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from sandbox.airflow import ROOT

SCRIPT = """
import sys, json, pathlib
sys.argv = {argv!r}
import airflow_local_settings
names = [name for name in airflow_local_settings.PACKAGES if name not in sys.modules]
threads = len(list(pathlib.Path("/proc/self/task").iterdir())) if pathlib.Path("/proc/self/task").exists() else 1
print(json.dumps([names, any(name.partition(".")[0] == "sparkify" for name in sys.modules), threads]))
"""


def _imported(*argv: str) -> tuple[list[str], bool, int]:
    """Start a process of Airflow; return missing packages, whether the project is imported, and its threads."""
    script = SCRIPT.format(argv=["airflow", *argv])
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT / "plugins", capture_output=True, check=True)
    missing, project, threads = json.loads(run.stdout.splitlines()[-1])
    return missing, project, threads


@pytest.mark.parametrize("argv", [("scheduler", "--skip-serve-logs"), ("celery", "worker")])
def test_processes_that_fork_tasks_import_their_packages(argv: tuple[str, ...]) -> None:
    missing, project, threads = _imported(*argv)
    assert missing == []
    assert not project, "a task would run outdated code of the project"
    assert threads == 1, "a fork copies one thread only"


def test_other_processes_do_not_import_them() -> None:
    missing, _, _ = _imported("api-server")
    assert "obstore.auth.boto3" in missing
