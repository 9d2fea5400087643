"""A real Airflow on this machine: API server, scheduler with LocalExecutor, DAG processor, triggerer.

``airflow standalone`` starts the same components, three seconds later, and leaves them running if it is terminated.
"""

from __future__ import annotations

import base64
import configparser
import json
import os
import secrets
import socket
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil
import psycopg

from sandbox import components
from sandbox.api import AirflowClient

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping, Sequence

FIRST = "api-server"
COMPONENTS = {
    FIRST: ["api-server"],
    "scheduler": ["scheduler", "--skip-serve-logs"],  # the API server reads the logs from the same disk
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}
# The users and their roles: https://airflow.apache.org/docs/apache-airflow/stable/core-concepts/auth-manager/simple/
USER, VIEWER = "admin", "viewer"
USERS = {USER: "admin", VIEWER: "viewer"}
SETTINGS = {
    "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{name}:{role}" for name, role in USERS.items()),
    "AIRFLOW__API__HOST": "127.0.0.1",
    "AIRFLOW__API__INSTANCE_NAME": "Sparkify",
    "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
    # A busy laptop responds late; the default of 5 seconds would fail the task.
    "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
    # If a task's process takes a moment to exit, its supervisor notices that one heartbeat later, after 5 seconds by
    # default; a skipped or failed task ends only then. But each second of a task would be another request.
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "2",
    "AIRFLOW__WORKERS__MAX_FAILED_HEARTBEATS": "8",  # about as many seconds without a heartbeat as by default
    # Seconds until tasks of a killed scheduler are reset, instead of 5 minutes.
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "30",
}

# The API server responds in 40 threads. A thread that holds a connection to the metadata database may need another:
# with the default of 15 connections (5, and 10 on demand) the threads deadlock until the pool's timeout of 30 seconds
# ends some of them. Airflow's other components have few threads.
# https://docs.sqlalchemy.org/en/20/core/pooling.html#sqlalchemy.pool.QueuePool
POOL = {
    "AIRFLOW__DATABASE__SQL_ALCHEMY_POOL_SIZE": "10",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_MAX_OVERFLOW": "35",
}
# It builds its routes, for seconds on one processor, while the metadata database is migrated.
API_SERVER = {**POOL, "AIRFLOW__DATABASE__CHECK_MIGRATIONS": "False"}


class DeploymentError(Exception):
    """Airflow does not start, or has stopped; the message names the log."""


class PortError(DeploymentError):
    """Another process is using the port.

    :param owner: the process, or the reason if it is unknown.
    """

    def __init__(self, port: int, owner: str) -> None:
        super().__init__(f"Port {port} is taken ({owner}).")


@dataclass(frozen=True)
class LocalDeployment:
    """A running Airflow.

    :param url: of its web UI and its API.
    :param home: its folder.
    :param processes: the components.
    """

    url: str
    home: Path
    processes: Mapping[str, subprocess.Popen[bytes]]

    @property
    def logs(self) -> Path:
        """The folder of the logs: a file for each component, a folder for each DAG."""
        return self.home / "logs"

    @property
    def password_file(self) -> Path:
        """The file with the passwords, by user."""
        return password_file(self.home)

    def client(self, user: str = USER) -> AirflowClient:
        """Return a client of the REST API.

        :param user: one of :data:`USERS`; by default the one with full access.
        """
        return AirflowClient(self.url, user, json.loads(self.password_file.read_text())[user])

    def check(self) -> None:
        """Raise DeploymentError if a component has exited."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                log = self.logs / f"{name}.log"
                raise DeploymentError(f"Airflow's {name} exited with code {process.returncode}. {_tail(log)}")


def password_file(home: Path) -> Path:
    """Return the file of the passwords that Airflow's simple auth manager has generated, by user."""
    return home / "simple_auth_manager_passwords.json.generated"


@contextmanager
def run_deployment(
    home: Path,
    environment: Mapping[str, str],
    *,
    dag_ids: Sequence[str],
    port: int | None = None,
    parallelism: int = 8,
    timeout: float = 180,
) -> Iterator[LocalDeployment]:
    """Run Airflow on this machine; stop all its processes at the end.

    When the block begins, every component has sent a heartbeat and the DAGs are parsed. Processes of an earlier,
    killed deployment with the same home are stopped first.

    :param home: its folder, private to this user: it holds the passwords, keys and logs.
    :param environment: further configuration: the metadata database, the DAGs folder, connections, variables. Other
        variables AIRFLOW... of this process are ignored.
    :param dag_ids: the DAGs to wait for.
    :param port: of the web UI and the API; any free port by default.
    :param parallelism: maximum number of parallel tasks.
    :param timeout: seconds to wait until it is ready.
    :raises DeploymentError: if it does not become ready.
    :raises PortError: if another process is using the port.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    logs = home / "logs"
    logs.mkdir(exist_ok=True)
    create_keys(home)
    components.stop_leftovers(home)
    port = take_port(port)
    url = f"http://127.0.0.1:{port}"
    settings = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        **SETTINGS,
        **environment,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(logs),
        "AIRFLOW__CORE__PARALLELISM": str(parallelism),
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
    }
    deadline = time.monotonic() + timeout
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        begun = datetime.now(UTC)
        for name, command in COMPONENTS.items():
            with (logs / f"{name}.log").open("wb") as log:
                processes[name] = components.start(command, settings | (API_SERVER if name == FIRST else {}), log)
            components.remember(home, processes)
            if name == FIRST:
                _migrate(settings, home)
        deployment = LocalDeployment(url, home, processes)
        _wait(deployment, begun, dag_ids, deadline)
        yield deployment
    finally:
        components.stop(processes)
        components.forget(home)


def create_keys(home: Path) -> None:
    """Create the keys that the components share; of two that start together, each would create its own."""
    file = home / "airflow.cfg"
    if file.exists():
        return
    parser = configparser.RawConfigParser()
    parser["core"] = {"fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}
    parser["api"] = {"secret_key": secrets.token_urlsafe(64)}
    parser["api_auth"] = {"jwt_secret": secrets.token_urlsafe(64)}
    part = file.with_suffix(".part")
    with part.open("w") as opened:
        parser.write(opened)
    part.replace(file)


def _migrate(settings: Mapping[str, str], home: Path) -> None:
    """Create or upgrade the metadata database; if it has not changed since, nothing: to ask Airflow takes seconds."""
    mark, log = home / "migrated", home / "logs" / "migrate.log"
    if (revision := _revision(settings)) and mark.exists() and mark.read_text() == revision:
        return
    with log.open("wb") as file:
        process = components.start(["db", "migrate"], settings, file)
        try:
            if process.wait():
                raise DeploymentError(f"Airflow's metadata database cannot be migrated:\n{_tail(log)}")
        finally:
            process.kill()
    mark.write_text(_revision(settings))


def _revision(settings: Mapping[str, str]) -> str:
    """Return the version of Airflow and the revision of its metadata database; empty if that has none."""
    uri = settings["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].replace("+psycopg", "", 1)
    with suppress(psycopg.Error), psycopg.connect(uri) as connection:  # Airflow says what is wrong
        for (revision,) in connection.execute("SELECT version_num FROM alembic_version"):
            return f"{version('apache-airflow-core')} {revision}"
    return ""


def _tail(log: Path) -> str:
    return f"{log} ends with\n" + "\n".join(log.read_text(errors="replace").splitlines()[-15:])


def take_port(port: int | None) -> int:
    """Return a port of this machine that a server can take.

    :param port: the required port; None for any.
    :raises PortError: if another process is using it, with its name if this user may see it.
    """
    with socket.socket() as probe:
        # Like the server: a recently closed connection does not block the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port or 0))
        except OSError as error:
            raise PortError(port or 0, _listener(port) or str(error.strerror).lower()) from None
        free: int = probe.getsockname()[1]
    return free


def _listener(port: int | None) -> str:
    """Return the process that listens on a port; empty if unknown."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            for connection in process.net_connections(kind="tcp"):
                if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port:
                    return f"process {process.pid}, {process.name()}"
    return ""


def _wait(deployment: LocalDeployment, begun: datetime, dag_ids: Sequence[str], deadline: float) -> None:
    """Wait until the deployment is ready."""
    waiting = "the API server"
    with httpx.Client(base_url=deployment.url, timeout=60, trust_env=False) as client:
        while time.monotonic() < deadline:
            deployment.check()
            with suppress(httpx.TransportError):
                # Its first response takes seconds, which must not delay the first task.
                client.get("/execution/health")
                health = client.get("/api/v2/monitor/health").json()
                if not (waiting := ", ".join(_unhealthy(health, begun))):
                    break
            time.sleep(0.2)
        else:
            raise DeploymentError(f"Airflow is not ready, timed out waiting for {waiting}. See {deployment.logs}.")
    unknown, texts = list(dag_ids), dict[str, str]()
    with deployment.client() as api:
        while time.monotonic() < deadline:
            deployment.check()
            # Older entries of the metadata database may be from other files.
            unknown = [
                dag_id
                for dag_id in unknown
                if not ((dag := api.dag(dag_id)) and _since(begun, dag["last_parsed_time"]))
            ]
            if not unknown:
                return
            errors = api.get("/api/v2/importErrors").json()["import_errors"]
            texts = {
                Path(error["filename"]).stem: error["stack_trace"]
                for error in errors
                if _since(begun, error["timestamp"])
            }
            for dag_id in unknown:
                if dag_id in texts:
                    raise DeploymentError(f"The DAG {dag_id} cannot be imported:\n{texts[dag_id]}")
            time.sleep(0.2)
    others = "".join(f"\n{text}" for text in texts.values())
    raise DeploymentError(
        f"Airflow has not parsed {', '.join(unknown)}. See {deployment.logs / 'dag-processor.log'}.{others}"
    )


def _unhealthy(health: Mapping[str, Mapping[str, str]], begun: datetime) -> Iterator[str]:
    """Yield the components without a heartbeat; heartbeats before the start are of former processes."""
    if health["metadatabase"]["status"] != "healthy":
        yield "the metadata database"
    for name in ("scheduler", "dag_processor", "triggerer"):
        beat = health[name].get(f"latest_{name}_heartbeat")
        if health[name]["status"] != "healthy" or not _since(begun, beat):
            yield f"the {name.replace('_', ' ')}"


def _since(begun: datetime, time: str | None) -> bool:
    return time is not None and datetime.fromisoformat(time) >= begun
