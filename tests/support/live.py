"""`make up` for tests: a running Airflow and its warehouse, in a new state folder."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sandbox import airflow, dag_runs
from sandbox.deployment import LocalDeployment
from sandbox.live_state import SupervisorFiles, SupervisorState
from tests.conftest import ROOT
from tests.support.processes import left_behind, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.dag_runs import DagRun


class Site(NamedTuple):
    """A deployment by `make up`.

    :param files: the files of its state.
    :param port: the port of Airflow's API server.
    :param root: the project's folder.
    """

    files: SupervisorFiles
    port: int
    root: Path = ROOT

    def make(self, *words: str, module: str = "sandbox.up", code: int = 0) -> str:
        """Run a command; return its output as one line."""
        # The settings of a developer's own Airflow must be ignored.
        other = {"AIRFLOW__CORE__EXECUTOR": "NoSuchExecutor", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "nonsense:"}
        done = subprocess.run(
            [sys.executable, "-m", module, *words, "--state", str(self.files.state)],
            check=False,
            cwd=self.root,
            env={**os.environ, **other, "PYTHONPATH": "plugins:dags", "COLUMNS": "100"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert done.stderr == ""
        return " ".join(done.stdout.split())

    def up(self) -> str:
        """Run `make up` on this port."""
        return self.make("up", "--port", str(self.port))

    @property
    def state(self) -> SupervisorState:
        """The supervisor's state."""
        state = self.files.load()
        assert state
        return state

    def sessions(self) -> list[int]:
        """Return the session ids of the supervisor and all components."""
        state = self.state
        return [state.pid, *(component.pid for component in state.components.values())]

    def deployment(self) -> LocalDeployment:
        """Return the running Airflow."""
        return LocalDeployment(self.state.url, Path(self.state.home), {})

    def idle(self, seconds: float = 180) -> list[DagRun]:
        """Wait until no run is active, and return the runs."""

        def ended() -> list[DagRun]:
            runs = dag_runs.read_runs(self.state.metadata, airflow.DAG_ID)
            return [] if any(run.ended is None for run in runs) else runs

        found: list[DagRun] = wait_until(ended, seconds)
        return found


@contextmanager
def empty_site(root: Path = ROOT) -> Iterator[Site]:
    """Create a new state folder; stop all processes at the end.

    :param root: the project's folder.
    """
    with tempfile.TemporaryDirectory(prefix="sparkify-up-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        site = Site(SupervisorFiles(Path(name)), port, root)
        try:
            yield site
        finally:
            site.make("down")
        assert left_behind(Path(name)) == []
