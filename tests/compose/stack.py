"""The stack of docker-compose.yaml, as the tests handle it."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DAG = "sparkify_warehouse"


def missing_engine() -> str:
    """Return why no containers can run here; nothing where they can."""
    if not shutil.which("docker"):
        return "docker is not installed"
    for words in (["docker", "info"], ["docker", "compose", "version"]):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            return f"{' '.join(words)}: {done.stderr.strip().splitlines()[-1]}"
    return ""


def block(heading: str) -> str:
    """Return the commands below a heading of docs/deploy.md."""
    text = (ROOT / "docs" / "deploy.md").read_text()
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    (commands,) = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    return commands


def copy_project(folder: Path) -> None:
    """Copy what belongs to the project, as a clone has it."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


@dataclass(frozen=True)
class Stack:
    """A running stack.

    :param folder: the copy of the project that it runs in.
    :param environment: of the commands.
    :param url: of Airflow.
    """

    folder: Path
    environment: dict[str, str] = field(repr=False)
    url: str

    def sh(self, commands: str, *, timeout: float = 900) -> str:
        """Run commands in a shell and return what they print; fail with that where one of them fails."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
        assert not done.returncode, f"{commands}\nended with {done.returncode}:\n{done.stdout[-5000:]}"
        return done.stdout

    def setting(self, name: str) -> str:
        """Return a setting of .env."""
        return self.settings()[name]

    def settings(self) -> dict[str, str]:
        """Return .env."""
        lines = (self.folder / ".env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))

    def warehouse(self, query: str) -> str:
        """Ask the warehouse; return the answer's rows as text."""
        return self._psql("warehouse", "sparkify", query)

    def metadata(self, query: str) -> str:
        """Ask Airflow's database; return the answer's rows as text."""
        return self._psql("postgres", "airflow", query)

    def _psql(self, service: str, user: str, query: str) -> str:
        words = ["docker", "compose", "exec", "-T", service, "psql", "-U", user, "-qAtX", "-v", "ON_ERROR_STOP=1"]
        done = subprocess.run(
            [*words, "-c", query],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert not done.returncode, done.stderr
        return done.stdout.strip()

    def client(self, user: str) -> httpx.Client:
        """Return a client of the API, logged in as one of the three users."""
        client = httpx.Client(base_url=self.url, timeout=60, trust_env=False)
        password = self.setting(f"{user.upper()}_PASSWORD")
        answer = client.post("/auth/token", json={"username": user, "password": password})
        assert answer.is_success, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return client

    def trigger(self, body: dict[str, Any]) -> str:
        """Order a run of the DAG as the operator; return its id."""
        answer = self.client("operator").post(f"/api/v2/dags/{DAG}/dagRuns", json=body)
        assert answer.is_success, answer.text
        return answer.json()["dag_run_id"]

    def wait_for_run(self, run_id: str, timeout: float = 300) -> None:
        """Wait until a run has succeeded; fail where it does not."""

        def ended() -> str:
            state = self.metadata(f"SELECT state FROM dag_run WHERE run_id = '{run_id}'")
            return state if state in ("success", "failed") else ""

        state = wait_for(ended, f"the end of {run_id}", timeout)
        assert state == "success", self.metadata(
            f"SELECT task_id, state, try_number, hostname FROM task_instance WHERE run_id = '{run_id}'"
        )

    def tasks(self, run_id: str) -> Iterator[tuple[str, str, int, str]]:
        """Yield each task of a run: its id, its state, which try it is, and the container that ran it."""
        rows = self.metadata(
            f"SELECT task_id, state, try_number, hostname FROM task_instance WHERE run_id = '{run_id}' ORDER BY task_id"
        )
        for row in rows.splitlines():
            task_id, state, number, host = row.split("|")
            yield task_id, state, int(number), host

    def tables(self, before: str) -> dict[str, str]:
        """Return a digest of each table, of plays before a moment.

        Without audit columns, and without what a song that is new meanwhile adds to a play.
        """
        queries = {
            "songplays": "songplay_id, start_time, user_id, level, session_id, location, user_agent",
            "time": "start_time, hour, day, week, month, year, weekday",
        }
        found = {}
        for table, columns in queries.items():
            found[table] = self.warehouse(
                f"SELECT COUNT(*), MD5(STRING_AGG(r::text, '' ORDER BY r::text)) FROM "
                f"(SELECT {columns} FROM {table} WHERE start_time < '{before}') AS r"
            )
        found["songs are unique"] = self.warehouse("SELECT COUNT(DISTINCT song_id) = COUNT(*) FROM songs")
        return found


def wait_for(condition: Callable[[], str], what: str, timeout: float) -> str:
    """Wait until a condition holds, and return what it returned."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(1)
    raise AssertionError(f"Waited {timeout:.0f} seconds for {what}, in vain.")
