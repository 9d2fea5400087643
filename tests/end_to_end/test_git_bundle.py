"""With a Git bundle, a run uses the files of one commit, although another is pushed while it runs."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from sandbox import airflow, servers
from sandbox.api import dag_run_path
from sandbox.deployment import run_deployment
from sandbox.lab import Lab
from tests.conftest import ROOT
from tests.support.data import event, song
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.api import AirflowClient

pytestmark = [pytest.mark.scheduler, pytest.mark.timeout(600)]

HOURS = [{"start": f"2018-11-01T{hour:02}:00:00Z", "end": f"2018-11-01T{hour + 1:02}:00:00Z"} for hour in (8, 9)]
# What the second commit changes: the file, the text, and its replacement.
SECOND = [
    ("include/sql/load/artists.sql", "    s.artist_location AS location,\n", "    'second' AS location,\n"),
    ("include/checks/users.yaml", "name: every level is free or paid", "name: the second commit's check"),
    # The return value of every task.
    ("plugins/sparkify/operators/base.py", 'result["seconds"] =', 'result["commit"] = 2\n        result["seconds"] ='),
    (
        "dags/sparkify_warehouse.py",
        "    create_tables >> [stage_events, stage_songs]\n",
        "    create_tables >> [stage_events, stage_songs]\n"
        '    publish_days >> PublishDaysOperator(task_id="second", outlets=[DAYS])\n',
    ),
]
CHECKS = """
    SELECT run_id, STRING_AGG(check_name, ', ') FROM operations.data_quality_results
    WHERE table_name = 'users' AND check_name = ANY(%s) GROUP BY run_id
"""


class Repository:
    """A repository with the project.

    :param folder: its working tree.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("dags", "include", "plugins"):
            # The other DAGs would only be parsed.
            ignored = shutil.ignore_patterns("__pycache__", "sparkify_[!w]*.py" if name == "dags" else "")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        self.git("init", "--quiet", "--initial-branch", "main")

    def git(self, *arguments: str) -> str:
        """Run git; return its output."""
        command = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com", *arguments]
        return subprocess.run(command, cwd=self.folder, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self) -> str:
        """Commit the working tree; return the commit's id."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "Change")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    if not shutil.which("git"):
        pytest.skip("git is missing")
    if not importlib.util.find_spec("airflow.providers.git"):
        pytest.skip("apache-airflow-providers-git is missing")
    return Repository(tmp_path / "repository")


@pytest.fixture
def lab(postgres: servers.PostgresServer, s3: servers.S3Server) -> Iterator[Lab]:
    """A warehouse with its tables, and a bucket with two hours of events."""
    name = "bundled"
    lab = Lab(postgres.create_database(name), servers.bucket(s3, name), name, airflow.connections(postgres, name, s3))
    lab.put_events("2018-11-01", [event(hours["start"][:19], number) for number, hours in enumerate(HOURS)])
    lab.put_song("0", song("SO1"))
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in lab.environment.items():
            patch.setenv(variable, value)
        lab.run(HOURS[0]["start"], HOURS[0]["end"], tasks=["create_tables"])
    yield lab


@pytest.fixture
def client(
    repository: Repository, lab: Lab, postgres: servers.PostgresServer, s3: servers.S3Server, tmp_path: Path
) -> Iterator[AirflowClient]:
    """An Airflow that reads the repository, and whose own copy of the operators cannot be imported."""
    repository.commit()
    image = tmp_path / "image"
    shutil.copytree(ROOT / "plugins", image / "plugins")
    (image / "plugins" / "sparkify" / "operators" / "__init__.py").write_text("raise ImportError('the image')")
    (bundle,) = json.loads(re.findall(r"```json\n(.*?)```", (ROOT / "docs" / "deploy.md").read_text(), re.DOTALL)[0])
    bundle["kwargs"] |= {"repo_url": str(repository.folder), "refresh_interval": 2}
    metadata = postgres.create_database("bundled-airflow")
    environment = airflow.environment(
        tmp_path / "home",
        metadata=airflow.sqlalchemy_url(metadata),
        postgres=postgres,
        database=lab.bucket,
        s3=s3,
        bucket=lab.bucket,
    )
    environment |= {
        "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path / "none"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(image / "plugins"),
        "PYTHONPATH": str(image / "plugins"),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(tmp_path / "bundles"),
        # Seconds until a pushed commit is parsed.
        "AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "1",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "5",
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
    }
    with (
        run_deployment(tmp_path / "home", environment, dag_ids=[airflow.DAG_ID]) as deployment,
        deployment.client() as client,
    ):
        client.unpause(airflow.DAG_ID)
        yield client


def results(client: AirflowClient, run_id: str) -> dict[str, Any]:
    """Wait for a run to succeed; return the results of its tasks."""
    path = dag_run_path(airflow.DAG_ID, run_id)

    def ended() -> bool:
        state = client.get(path).json()["state"]
        assert state != "failed"
        return bool(state == "success")

    wait_until(ended, 240)
    entries = client.get(f"{path}/taskInstances/~/xcomEntries", params={"xcom_key_pattern": "return_value"}).json()
    return {
        item["task_id"]: client.get(f"{path}/taskInstances/{item['task_id']}/xcomEntries/return_value").json()["value"]
        for item in entries["xcom_entries"]
    }


def task_ids(client: AirflowClient, run_id: str) -> set[str]:
    """Return the ids of a run's tasks."""
    found = client.get(f"{dag_run_path(airflow.DAG_ID, run_id)}/taskInstances").json()["task_instances"]
    return {item["task_id"] for item in found}


def commit_of(client: AirflowClient) -> str:
    """Return the commit of the DAG's latest version."""
    versions = client.get(f"/api/v2/dags/{airflow.DAG_ID}/dagVersions", params={"order_by": "-version_number"}).json()
    return str(versions["dag_versions"][0]["bundle_version"])


def test_a_run_uses_one_commit(client: AirflowClient, repository: Repository, lab: Lab) -> None:
    first = commit_of(client)
    with psycopg.connect(lab.uri) as connection:
        connection.execute("LOCK TABLE staging_songs IN SHARE MODE")  # holds the run at stage_songs
        run_ids = [client.trigger(airflow.DAG_ID, HOURS[0])]
        started = dag_run_path(airflow.DAG_ID, run_ids[0]) + "/taskInstances/stage_songs"
        wait_until(lambda: client.get(started).json()["state"] == "running", 120)

        for name, old, new in SECOND:
            text = (repository.folder / name).read_text()
            assert text.count(old) == 1, name
            (repository.folder / name).write_text(text.replace(old, new))
        second = repository.commit()
        wait_until(lambda: commit_of(client) == second, 120)
    tasks = [results(client, run_ids[0])]
    assert lab.query("SELECT location FROM artists") == [("London",)]

    run_ids.append(client.trigger(airflow.DAG_ID, HOURS[1]))
    tasks.append(results(client, run_ids[1]))
    assert lab.query("SELECT location FROM artists") == [("second",)]

    versions = [client.get(dag_run_path(airflow.DAG_ID, run_id)).json()["bundle_version"] for run_id in run_ids]
    assert versions == [first, second]
    assert [{result.get("commit", 1) for result in of_run.values()} for of_run in tasks] == [{1}, {2}]
    assert [len(of_run) > 10 for of_run in tasks] == [True, True]
    assert ["second" in task_ids(client, run_id) for run_id in run_ids] == [False, True]
    names = ["every level is free or paid", "the second commit's check"]
    with psycopg.connect(lab.uri) as connection:
        found: dict[str, str] = dict(connection.execute(CHECKS, [names]).fetchall())
    assert found == dict(zip(run_ids, names, strict=True))
