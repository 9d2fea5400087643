"""A lab on the Redshift of Airflow's connections: a real one or the local endpoint."""

from __future__ import annotations

import copy
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CONNECTIONS = ("AIRFLOW_CONN_REDSHIFT", "AIRFLOW_CONN_AWS")


class Workgroup(Lab):
    """A lab with its own database and its own prefix in the bucket.

    :param prefix: prepended to all keys.
    """

    prefix = ""

    def put(self, key: str, body: str | bytes) -> None:
        super().put(self.prefix + key, body)

    def execute(self, task: Any, **params: Any) -> Any:
        if hasattr(task, "manifest_prefix"):
            task = copy.copy(task)
            task.key = self.prefix + task.key
            task.manifest_prefix = self.prefix + task.manifest_prefix
        return super().execute(task, **params)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        from sparkify.warehouse import connect

        with connect("redshift", "aws") as warehouse:
            return warehouse.query(sql)


@contextmanager
def connected(environment: Mapping[str, str]) -> Iterator[None]:
    """Define Airflow's connections inside the context."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        yield


@contextmanager
def workgroup(bucket: str, environment: Mapping[str, str]) -> Iterator[Workgroup]:
    """Create a lab's database; drop it and delete the objects below the prefix at the end.

    :param bucket: a bucket that the connection ``aws`` can write to and COPY can read.
    :param environment: the variables that define the connections; ``redshift`` names any database of the cluster and
        a user with the permission to create databases.
    """
    from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook
    from airflow.sdk import BaseHook

    from sparkify.s3 import stores_of

    with connected(environment):
        connection = BaseHook.get_connection("redshift")
        if connection.conn_type != "redshift":
            pytest.fail(f"AIRFLOW_CONN_REDSHIFT has type {connection.conn_type}: expected redshift.")
        name = f"sparkify_test_{uuid.uuid4().hex[:12]}"
        cluster = RedshiftSQLHook(redshift_conn_id="redshift", aws_conn_id="aws")
        store = stores_of("aws")(bucket)
        cluster.run(f"CREATE DATABASE {name}", autocommit=True)
        connection.schema = name
        lab = Workgroup("", store, bucket, {**environment, "AIRFLOW_CONN_REDSHIFT": connection.get_uri()})
        lab.prefix = f"{name}/"
        try:
            yield lab
        finally:
            cluster.run(f"DROP DATABASE {name}", autocommit=True)
            store.delete([item["path"] for page in store.list(lab.prefix) for item in page])
