"""The Makefile: what it prints, and what it installs when."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import psycopg
import pytest

from sandbox import jobs, servers
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project with the environment of `make run`, and a pip that only prints its arguments."""
    for name in ("dags", "include", "locks", "plugins", "sandbox", "Makefile"):
        (tmp_path / name).symlink_to(ROOT / name)
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name, command in (("python", f'exec {sys.executable} "$@"'), ("pip", 'echo "pip $*"')):
        (programs / name).write_text(f"#!/bin/sh\n{command}\n")
        (programs / name).chmod(0o755)
    (programs.parent / "run").touch()
    return tmp_path


def make(project: Path, target: str) -> tuple[int, str]:
    """Run a target; return the exit code and the output."""
    # The tests themselves are run by make.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(
        ["make", target],
        check=False,
        cwd=project,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout


def make_notebook(project: Path) -> tuple[int, str]:
    """Return the exit code and the output of the command, as one line."""
    code, printed = make(project, "notebook")
    return code, " ".join(printed.split())


def test_the_help_fits_on_a_terminal(project: Path) -> None:
    code, printed = make(project, "help")
    assert code == 0
    assert [line for line in printed.splitlines() if len(line) > 80] == []
    assert "  notebook " in printed


def test_nothing_is_installed_if_nothing_is_loaded(project: Path) -> None:
    code, printed = make_notebook(project)
    assert code == 2
    assert "This data has not been loaded. Load it first: make run" in printed
    assert "Installing" not in printed
    assert "pip" not in printed


def test_it_is_installed_if_something_is_loaded(project: Path) -> None:
    state = project / ".local"
    parser = jobs.parser("", "")
    job = jobs.read_job(parser, parser.parse_args(["--state", str(state)]), hourly=False)
    servers.private(state)
    with (
        servers.postgres(state / "postgres") as server,
        psycopg.connect(server.create_database(job.name)) as connection,
    ):
        connection.execute("CREATE TABLE songplays AS SELECT 1 AS songplay_id")
    _, printed = make_notebook(project)
    assert "Installing the notebook's requirements into .venv ... pip install" in printed
    assert "-r locks/requirements-notebook.txt" in printed
    assert (project / ".venv" / "notebook").exists()
