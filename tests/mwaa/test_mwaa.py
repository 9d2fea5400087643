"""The package of ``make package`` with the folders, packages and settings of Amazon MWAA: ``make test-mwaa``."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deploy.mwaa import package
from sandbox import airflow, servers
from sandbox.api import dag_run_path
from sandbox.deployment import USER, password_file, run_deployment
from sandbox.lab import Lab
from tests.conftest import ROOT
from tests.support.data import event, song
from tests.support.mwaa import SETTINGS
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.api import AirflowClient
    from sandbox.deployment import LocalDeployment

pytestmark = [
    pytest.mark.mwaa,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(
        not (ROOT / "plugins" / "constraints.txt").exists(), reason="needs an unpacked package: make test-mwaa"
    ),
]

RUN = {"start": "2018-11-01T00:00:00Z", "end": "2018-11-02T00:00:00Z"}


def test_installed_packages_have_the_versions_of_the_image() -> None:
    listed = dict(
        re.findall(r"^([\w.-]+)==(\S+)$", package.INSTALLED.read_text() + package.ESSENTIAL.read_text(), re.MULTILINE)
    )
    expected = {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in listed.items()}
    installed = {re.sub(r"[-_.]+", "-", item.metadata["Name"]).lower(): item.version for item in distributions()}
    compared = installed.keys() & expected.keys()
    assert {"apache-airflow", "apache-airflow-providers-amazon", "sqlalchemy", "sqlglot", "msgspec"} <= compared
    assert {name: installed[name] for name in compared} == {name: expected[name] for name in compared}


@pytest.mark.parametrize(
    ("argv", "preloaded"), [(["celery", "worker"], True), (["scheduler"], True), (["api-server"], False)]
)
def test_the_image_loads_the_local_settings_of_the_package(argv: list[str], *, preloaded: bool) -> None:
    script = f"""
import sys, json
sys.argv = {["airflow", *argv]!r}
from airflow import settings
settings.initialize()
print(json.dumps("obstore.auth.boto3" in sys.modules))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | {"AIRFLOW_HOME": str(ROOT)}, capture_output=True, check=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) is preloaded


class Site:
    """A running Airflow with the settings of MWAA, and the warehouse that it loads."""

    def __init__(self, deployment: LocalDeployment, client: AirflowClient, lab: Lab) -> None:
        self.deployment = deployment
        self.client = client
        self.lab = lab

    def wait(self, dag_id: str, **expected: str) -> dict[str, Any]:
        """Wait until the run of a DAG with these fields has ended, and return it."""

        def ended() -> dict[str, Any] | None:
            # The schedule also loads the current hour.
            runs = [run for run in self.client.dag_runs(dag_id)["dag_runs"] if expected.items() <= run.items()]
            return runs[0] if runs and runs[0]["state"] in ("success", "failed") else None

        run: dict[str, Any] = wait_until(ended, 600)
        return run

    def tasks(self, dag_id: str, run_id: str) -> dict[str, str]:
        """Return the states of a run's tasks."""
        found = self.client.get(f"{dag_run_path(dag_id, run_id)}/taskInstances").json()["task_instances"]
        return {item["task_id"]: item["state"] for item in found}


@pytest.fixture(scope="module")
def site(postgres: servers.PostgresServer, s3: servers.S3Server) -> Iterator[Site]:
    name = "mwaa"
    lab = Lab(postgres.create_database(name), servers.bucket(s3, name), name, {})
    lab.put_song("1", song("SO1"))
    lab.put_events("2018-11-01", [event(f"2018-11-01T{hour:02}:05:00", hour) for hour in range(24)])
    # The driver of MWAA.
    metadata = postgres.create_database("mwaa-airflow").replace("postgresql:", "postgresql+psycopg2:", 1)
    environment = SETTINGS | airflow.environment(
        ROOT, metadata=metadata, postgres=postgres, database=name, s3=s3, bucket=name
    )
    add_user(environment)
    with (
        run_deployment(ROOT, environment, dag_ids=[airflow.DAG_ID], timeout=600) as deployment,
        deployment.client() as client,
    ):
        yield Site(deployment, client, lab)


def add_user(environment: dict[str, str]) -> None:
    """Create the administrator, which the auth manager of MWAA does not do itself, and save its password."""
    password = secrets.token_urlsafe()
    details = {"role": "Admin", "firstname": "A", "lastname": "A", "email": "admin@example.com", "password": password}
    options = [word for name, value in details.items() for word in (f"--{name}", value)]
    command_line = Path(sys.executable).with_name("airflow")
    for command in (["db", "migrate"], ["users", "create", "--username", USER, *options]):
        subprocess.run([command_line, *command], env=os.environ | environment, check=True, stdout=subprocess.DEVNULL)
    password_file(ROOT).write_text(json.dumps({USER: password}))


def test_all_dags_of_the_package_are_parsed(site: Site) -> None:
    names = {path.stem for path in (ROOT / "dags").iterdir()}

    def parsed() -> bool:
        return {dag["dag_id"] for dag in site.client.get("/api/v2/dags").json()["dags"]} == names

    assert "sparkify_warehouse" in names
    wait_until(parsed, 300)
    assert site.client.get("/api/v2/importErrors").json()["import_errors"] == []


def test_a_day_is_loaded_checked_and_reported(site: Site) -> None:
    site.client.unpause(airflow.REPORT_ID)
    site.client.unpause(airflow.DAG_ID)
    run_id = site.client.trigger(airflow.DAG_ID, RUN)
    state = site.wait(airflow.DAG_ID, dag_run_id=run_id)["state"]
    assert state == "success", site.tasks(airflow.DAG_ID, run_id)
    assert site.lab.one("SELECT COUNT(*) FROM songplays") == 24
    assert site.lab.one("SELECT COUNT(*) FROM songs") == 1
    # The report's day arrives as an event of an asset; its template is in include/.
    assert site.wait(airflow.REPORT_ID, partition_key="2018-11-01")["state"] == "success"
    page = bytes(site.lab.store.get("reports/2018/11/2018-11-01.html").bytes()).decode()
    assert '<p class="value">24</p>' in page


def test_the_page_of_the_plugin_reads_include(site: Site) -> None:
    assert site.client.get("/sparkify/api/panels/tables").json()["rows"]
    assert site.client.get("/sparkify/api/checks").json()
