"""Fixtures for a local AWS account with an Airflow connection."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from sandbox import servers
from sandbox.airflow import aws_connection
from sandbox.aws import REGION, ServerlessApi, serverless

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYS = {"aws_access_key_id": servers.ACCESS_KEY, "aws_secret_access_key": servers.SECRET_KEY}
LOCAL_BUNDLE = "airflow.dag_processing.bundles.local.LocalDagBundle"
BACKEND = "airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend"


@dataclass
class Cloud:
    """A local AWS account.

    :param endpoint: of all services but those of ``serverless``.
    :param serverless: the API of Redshift Serverless, and the Redshift Data API.
    """

    endpoint: str
    serverless: ServerlessApi

    def client(self, service: str) -> Any:
        """Return boto3's client of a service."""
        return _client(self.endpoint, service)

    def run(self, action: str, **params: Any) -> dict[str, str]:
        """Run a DAG; return the states of its tasks."""
        # Reload it: a run leaves its params in the DAG.
        module = importlib.reload(importlib.import_module(f"sparkify_infrastructure_{action}"))
        dag = module.dag
        for task in dag.tasks:
            task.retries = 0
            if hasattr(task, "poke_interval"):
                task.poke_interval = 0.1
        with pytest.MonkeyPatch.context() as patch:
            # For each run, dag.test() parses and stores all DAGs of its bundle.
            bundle = {"name": "one-file", "classpath": LOCAL_BUNDLE, "kwargs": {"path": module.__file__}}
            patch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", json.dumps([bundle]))
            run = dag.test(run_conf=params)
        return {task.task_id: str(task.state) for task in run.get_task_instances()}

    def stacks(self) -> dict[str, str]:
        """Return the statuses of all stacks, by name."""
        found = self.client("cloudformation").describe_stacks()["Stacks"]
        return {stack["StackName"]: stack["StackStatus"] for stack in found}

    def clusters(self) -> dict[str, str]:
        """Return the statuses of all clusters, by name."""
        found = self.client("redshift").describe_clusters()["Clusters"]
        return {cluster["ClusterIdentifier"]: cluster["ClusterStatus"] for cluster in found}

    def snapshots(self) -> list[str]:
        """Return the names of the manual snapshots of clusters."""
        found = self.client("redshift").describe_cluster_snapshots(SnapshotType="manual")["Snapshots"]
        return [snapshot["SnapshotIdentifier"] for snapshot in found if snapshot["SnapshotType"] == "manual"]

    def secrets(self) -> dict[str, str]:
        """Return all secrets, by name."""
        client = self.client("secretsmanager")
        names = [secret["Name"] for secret in client.list_secrets()["SecretList"]]
        return {name: client.get_secret_value(SecretId=name)["SecretString"] for name in names}


@cache
def _client(endpoint: str, service: str) -> Any:
    return boto3.client(service, endpoint_url=endpoint, region_name=REGION, **KEYS)


@pytest.fixture(scope="module")
def metadata() -> None:
    """Migrate Airflow's metadata database, required to run a DAG."""
    from sandbox.airflow import migrate

    migrate()


@pytest.fixture
def cloud(aws: str, metadata: None, _once: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Return an empty account with the connection ``aws``, without a secrets backend."""
    import requests
    from airflow.sdk import configuration

    # Airflow 3.3.1 has no cache.
    clear_secrets_backends_cache = getattr(configuration, "clear_secrets_backends_cache", lambda: None)

    requests.post(f"{aws}/moto-api/reset", timeout=10).raise_for_status()
    with serverless() as api:
        services = {service: {"endpoint_url": api.endpoint} for service in ("redshift-serverless", "redshift-data")}
        monkeypatch.setenv("AIRFLOW_CONN_AWS", aws_connection(aws, service_config=services))
        clear_secrets_backends_cache()
        yield Cloud(aws, api)
    clear_secrets_backends_cache()


@pytest.fixture
def secrets_manager(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Configure the account's Secrets Manager as Airflow's secrets backend."""
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND", BACKEND)
    kwargs = {"endpoint_url": cloud.endpoint, "region_name": REGION, **KEYS}
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND_KWARGS", json.dumps(kwargs))
