"""A lab on the Redshift of Airflow's connections: a real one or the local endpoint."""

from __future__ import annotations

import copy
import os
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from proof.stack import FOLDER, PREFIXES
from sandbox.lab import TABLES, Lab

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CONNECTIONS = ("AIRFLOW_CONN_REDSHIFT", "AIRFLOW_CONN_AWS")
# The bucket of a real Redshift; None on the local endpoint.
BUCKET = os.environ.get("REDSHIFT_BUCKET")
# Of a module's tests, in seconds.
TIMEOUT = 3600 if BUCKET else 300


class Workgroup(Lab):
    """A lab with its own database, and with its own folders in the bucket, below :data:`proof.stack.PREFIXES`.

    :param name: of the database and of the folders.
    """

    name = ""

    def key(self, key: str) -> str:
        """Return a key in the lab's folders: ``log_data/2018/...`` is ``sparkify_tests/log_data/<name>/2018/...``."""
        prefix, _, rest = key.partition("/")
        return f"{FOLDER}{prefix}/{self.name}/{rest}"

    def put(self, key: str, body: str | bytes) -> None:
        super().put(self.key(key), body)

    def execute(self, task: Any, **params: Any) -> Any:
        if hasattr(task, "manifest_prefix"):
            task = copy.copy(task)
            task.key = self.key(task.key)
            task.manifest_prefix = self.key(task.manifest_prefix)
        return super().execute(task, **params)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        from sparkify.warehouse import connect

        with connect("redshift", "aws") as warehouse:
            return warehouse.query(sql)


class Both(NamedTuple):
    """Redshift and the local engine, with the same data."""

    redshift: Workgroup
    local: Lab

    def query(self, sql: str) -> tuple[Any, Any]:
        """Return the results of both, each with its column names."""
        from sparkify.warehouse import connect

        results = []
        for lab in self:
            with connected(lab.environment), connect("redshift", "aws") as warehouse:
                results.append(warehouse.table(sql))
        return results[0], results[1]

    def run(self, *interval: str, **params: Any) -> None:
        """Run the DAG on both."""
        for lab in self:
            with connected(lab.environment):
                lab.run(*interval, **params)

    def put(self, name: str, *arguments: Any) -> None:
        """Call a method that writes objects, on both labs."""
        for lab in self:
            with connected(lab.environment):
                getattr(lab, name)(*arguments)

    def tables(self, tables: Mapping[str, str] = TABLES) -> tuple[Any, Any]:
        """Return the tables of both.

        :param tables: their names and columns.
        """
        with connected(self.redshift.environment):
            return self.redshift.tables(tables), self.local.tables(tables)


@contextmanager
def connected(environment: Mapping[str, str]) -> Iterator[None]:
    """Define Airflow's connections inside the context."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        yield


@contextmanager
def workgroup(bucket: str, environment: Mapping[str, str], isolation: str = "SNAPSHOT") -> Iterator[Workgroup]:
    """Create a lab's database; drop it and delete the objects of the lab at the end.

    :param bucket: a bucket that the connection ``aws`` can write to and COPY can read.
    :param environment: the variables that define the connections; ``redshift`` names any database of the cluster and
        a user with the permission to create databases.
    :param isolation: the isolation level of the database, ``SNAPSHOT`` or ``SERIALIZABLE``:
        https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_DATABASE.html
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
        cluster.run(f"CREATE DATABASE {name} ISOLATION LEVEL {isolation}", autocommit=True)
        connection.schema = name
        lab = Workgroup("", store, bucket, {**environment, "AIRFLOW_CONN_REDSHIFT": connection.get_uri()})
        lab.name = name
        try:
            yield lab
        finally:
            cluster.run(f"DROP DATABASE {name}", autocommit=True)
            for prefix in PREFIXES.values():
                store.delete([item["path"] for page in store.list(f"{prefix}{name}/") for item in page])
