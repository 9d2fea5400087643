"""The stack of docker-compose.yaml, for the tests."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
import pytest

from sandbox.api import TokenAuth
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DAG = "sparkify_warehouse"
MAIL, CADDY = "axllent/mailpit:v1.27", "caddy:2"  # images that the stack does not need
Found = TypeVar("Found")


def missing_engine() -> str:
    """Return why containers cannot run here; empty if they can."""
    if not shutil.which("docker"):
        return "docker is not installed"
    for words in (["docker", "info"], ["docker", "compose", "version"]):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            return f"{' '.join(words)}: {done.stderr.strip().splitlines()[-1]}"
    return ""


def require(image: str) -> None:
    """Skip the test if an image is neither local nor can be pulled."""
    if not is_available(image):
        pytest.skip(f"the image {image} is not local and cannot be pulled")


def is_available(image: str) -> bool:
    """Return whether an image is local or can be pulled."""
    ways = (["docker", "image", "inspect", image], ["docker", "pull", "--quiet", image])
    return any(subprocess.run(way, capture_output=True, check=False).returncode == 0 for way in ways)


def block(heading: str, language: str = "sh") -> str:
    """Return the first code block below a heading of docs/compose.md."""
    text = (ROOT / "docs" / "compose.md").read_text()
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    (found,) = re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)
    return found


def parse(text: str) -> dict[str, str]:
    """Parse the settings of a text in the format of .env."""
    return dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))


def copy_project(folder: Path) -> None:
    """Copy the files of the project, as in a clone."""
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
class ComposeStack:
    """A running stack.

    :param folder: the copy of the project that it runs in.
    :param environment: of the commands.
    :param url: of Airflow.
    :param logs: a file with the output of all its containers, removed ones included.
    """

    folder: Path
    environment: dict[str, str] = field(repr=False)
    url: str
    logs: Path

    def sh(self, commands: str, *, timeout: float = 900) -> str:
        """Run commands in a shell and return their output; fail with the output if one of them fails."""
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

    def settings(self) -> dict[str, str]:
        """Return .env."""
        return parse((self.folder / ".env").read_text())

    def password(self, user: str) -> str:
        """Return the password of one of the three users."""
        return self.settings()[f"{user.upper()}_PASSWORD"]

    def warehouse(self, query: str) -> str:
        """Query the warehouse; return the rows as text."""
        return self._psql("warehouse", "sparkify", query)

    def metadata(self, query: str) -> str:
        """Query Airflow's database; return the rows as text."""
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
        auth = TokenAuth(user, self.password(user))
        return httpx.Client(base_url=self.url, auth=auth, timeout=60, trust_env=False)

    def trigger(self, body: dict[str, Any], dag_id: str = DAG) -> str:
        """Trigger a run of a DAG as the user operator; return its id."""
        answer = self.client("operator").post(f"/api/v2/dags/{dag_id}/dagRuns", json=body)
        assert answer.is_success, answer.text
        return answer.json()["dag_run_id"]

    def wait_for_run(self, run_id: str, timeout: float = 300) -> None:
        """Wait until a run has succeeded; fail if it does not."""

        def ended() -> str:
            state = self.metadata(f"SELECT state FROM dag_run WHERE run_id = '{run_id}'")
            return state if state in ("success", "failed") else ""

        state = wait_for(ended, f"the end of {run_id}", timeout)
        assert state == "success", self.metadata(
            f"SELECT task_id, state, try_number, hostname FROM task_instance WHERE run_id = '{run_id}'"
        )

    def tasks(self, run_id: str) -> Iterator[tuple[str, str, int, str]]:
        """Yield each task of a run: id, state, try number, and container."""
        rows = self.metadata(
            f"SELECT task_id, state, try_number, hostname FROM task_instance WHERE run_id = '{run_id}' ORDER BY task_id"
        )
        for row in rows.splitlines():
            task_id, state, number, host = row.split("|")
            yield task_id, state, int(number), host

    def begin(self, commands: str) -> subprocess.Popen[str]:
        """Run commands in the background, with a pipe to their input."""
        return subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @contextmanager
    def locked(self, table: str) -> Iterator[None]:
        """Lock a table of the warehouse."""
        process = self.begin("docker compose exec -T warehouse psql -U sparkify -qAtX")
        assert process.stdin
        assert process.stdout
        process.stdin.write(f"BEGIN; LOCK TABLE {table}; SELECT 'locked';\n")
        process.stdin.flush()
        assert process.stdout.readline().strip() == "locked"
        try:
            yield
        finally:
            process.communicate(timeout=30)

    def task_that_waits(self, run_id: str) -> tuple[str, str]:
        """Wait until a task of a run waits for a lock; return its id and its container."""

        def found() -> tuple[str, str] | None:
            running = [(task_id, host) for task_id, state, _, host in self.tasks(run_id) if state == "running"]
            return running[0] if len(running) == 1 and self.waiting(self.address(running[0][1])) else None

        return wait_for(found, f"a task of {run_id} that waits", 120)

    def address(self, host: str) -> str:
        """Return the address of a container, as the warehouse sees it."""
        network = f"{self.environment['COMPOSE_PROJECT_NAME']}_warehouse"
        template = f'{{{{(index .NetworkSettings.Networks "{network}").IPAddress}}}}'
        return self.sh(f"docker inspect -f '{template}' {host}").strip()

    def waiting(self, client: str) -> str:
        """Return the statements from an address that wait for a lock."""
        return self.warehouse(
            f"SELECT pid, query FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND client_addr = '{client}'"
        )

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


def wait_for(condition: Callable[[], Found | None], what: str, timeout: float) -> Found:
    """Wait until a condition returns a truthy value, and return it."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(1)
    raise AssertionError(f"Waited {timeout:.0f} seconds for {what}.")
