"""The servers of a benchmark, in a temporary folder."""

from __future__ import annotations

import os
import platform
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from sandbox import airflow, servers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obstore.store import S3Store


@dataclass(frozen=True)
class Testbed:
    """PostgreSQL, an S3 server and a temporary folder.

    :param folder: deleted at the end.
    :param postgres: the database server.
    :param s3: the S3 server.
    """

    folder: Path
    postgres: servers.PostgresServer
    s3: servers.S3Server

    def bucket(self, name: str) -> S3Store:
        """Open a bucket; create it if it does not exist."""
        return servers.bucket(self.s3, name)

    def connections(self, database: str) -> dict[str, str]:
        """Return the environment variables of Airflow's connections to a database and to S3."""
        return airflow.connections(self.postgres, database, self.s3)

    @contextmanager
    def database(self, name: str, like: str | None = None) -> Iterator[str]:
        """Create a database, yield its URI, and drop it.

        :param like: a database to copy.
        """
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        with psycopg.connect(self.postgres.uri(), autocommit=True) as server:
            server.execute(drop)
            if like:
                copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
                server.execute(copy.format(sql.Identifier(name), sql.Identifier(like)))
            uri = self.postgres.create_database(name)
            server.execute("CHECKPOINT")  # so that earlier writes are not part of the measurement
            yield uri
            server.execute(drop)


@contextmanager
def open_testbed() -> Iterator[Testbed]:
    """Start the servers, PostgreSQL without fsync and autovacuum; stop them at the end."""
    servers.exit_on_signals()
    for name in [name for name in os.environ if name.startswith("AIRFLOW")]:
        del os.environ[name]  # ignore the developer's own Airflow
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # it would make each process compile its imports
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sparkify-bench-")))
        os.environ["AIRFLOW_HOME"] = str(folder / "airflow")
        with servers.postgres(folder / "postgres") as postgres:
            configure(postgres)
        postgres = stack.enter_context(servers.postgres(folder / "postgres"))
        s3 = stack.enter_context(servers.s3(folder / "s3"))
        yield Testbed(folder, postgres, s3)


def configure(server: servers.PostgresServer) -> None:
    """Change the settings of a server, without fsync and autovacuum; they apply when it is started again."""
    with psycopg.connect(server.uri(), autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        connection.execute("ALTER SYSTEM SET random_page_cost = 1.1")  # create_database()'s; copies do not inherit it
        connection.execute("ALTER SYSTEM SET max_connections = 200")  # 100 tasks at once, and the benchmark's own


def describe_environment() -> str:
    """Return time, platform, load and versions, for the results."""
    load = "/".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {platform.platform()}, {os.cpu_count()} cores, load average {load}, "
        f"Python {platform.python_version()}, Airflow {version('apache-airflow')}"
    )
