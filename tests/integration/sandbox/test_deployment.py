"""A local deployment: its keys, and the explanation of a failed start."""

from __future__ import annotations

import os
from configparser import RawConfigParser
from typing import TYPE_CHECKING

import pytest

from sandbox import airflow, components, servers
from sandbox.deployment import DeploymentError, create_keys, run_deployment
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

# With the tests of the scheduler, one after the other.
pytestmark = pytest.mark.scheduler


def test_components_that_start_together_have_the_same_keys(tmp_path: Path) -> None:
    create_keys(tmp_path)
    environment = os.environ | {"AIRFLOW_HOME": str(tmp_path)}
    read = []
    for section, key in (("api_auth", "jwt_secret"), ("core", "fernet_key"), ("api", "secret_key")):
        log = tmp_path / key
        with log.open("wb") as opened:
            process = components.start(["config", "get-value", section, key], environment, opened)
        read.append((section, key, log, process))
    assert [process.wait() for *_, process in read] == [0, 0, 0]
    create_keys(tmp_path)
    kept = RawConfigParser()
    kept.read(tmp_path / "airflow.cfg")
    for section, key, log, _ in read:
        assert log.read_text().split()[-1] == kept[section][key]


def test_a_broken_dag_is_shown(
    postgres: servers.PostgresServer, database: str, s3: servers.S3Server, tmp_path: Path
) -> None:
    dags = tmp_path / "dags"
    dags.mkdir()
    (dags / "valid.py").write_text("from airflow.sdk import DAG\ndag = DAG('valid', schedule=None)\n")
    (dags / f"{airflow.DAG_ID}.py").write_text("from airflow.sdk import dag\nprint(mistake)\n")
    environment = airflow.environment(
        tmp_path / "home",
        metadata=airflow.sqlalchemy_url(database),
        postgres=postgres,
        database="none",
        s3=s3,
        bucket="none",
    )
    environment["AIRFLOW__CORE__DAGS_FOLDER"] = str(dags)
    with (
        pytest.raises(
            DeploymentError, match=r"sparkify_warehouse cannot be imported:\n(.*\n)*.*warehouse\.py(.*\n)*.*'mistake'"
        ),
        run_deployment(tmp_path / "home", environment, dag_ids=["valid", airflow.DAG_ID]),
    ):
        pytest.fail("it started")
    assert not (tmp_path / "home" / "processes.json").exists()


def test_a_metadata_database_that_cannot_be_reached_is_shown(tmp_path: Path) -> None:
    environment = {
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg://postgres@/none?host={tmp_path}",
        "AIRFLOW__DATABASE__MAX_DB_RETRIES": "1",
    }
    with (
        pytest.raises(
            DeploymentError, match=r"metadata database cannot be migrated:\n.*migrate\.log ends with\n(.*\n)*"
        ),
        run_deployment(tmp_path / "home", environment, dag_ids=[airflow.DAG_ID]),
    ):
        pytest.fail("it started")
