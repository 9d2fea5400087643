"""Shared fixtures: one PostgreSQL and one S3 server per test session, and labs on them."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT.parent / "shared" / "data" / "sparkify-real-sample.tar.gz"

# Airflow reads its configuration at its first import: isolate it from the developer's settings and folder. Each process
# of pytest-xdist has its own folder. tests/redshift/test_workgroup.py can use the original connections.
GIVEN = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("AIRFLOW")}
_HOME = tempfile.mkdtemp(prefix="sparkify-airflow-")
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
os.environ.update(
    {
        "AIRFLOW_HOME": _HOME,
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
    }
)

from sandbox import servers  # noqa: E402 - after the environment is set
from sandbox.airflow import connections  # noqa: E402
from sandbox.lab import Lab  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session")
def postgres() -> Iterator[servers.PostgresServer]:
    """Start a PostgreSQL server for the session."""
    # Not a folder of pytest: a later test session may delete it.
    with (
        tempfile.TemporaryDirectory(prefix="sparkify-pg-", ignore_cleanup_errors=True) as folder,
        servers.postgres(Path(folder) / "data") as server,
        psycopg.connect(server.uri(), autocommit=True) as connection,
    ):
        # The data need not survive a power failure. It has to survive a crash: synchronous_commit stays on.
        for setting in ("fsync", "full_page_writes"):
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        connection.execute("SELECT pg_reload_conf()")
        yield server


@pytest.fixture
def database(postgres: servers.PostgresServer) -> Iterator[str]:
    """Return the URI of an empty database that is dropped after the test."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield postgres.create_database(name)
    with psycopg.connect(postgres.uri(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def s3() -> Iterator[servers.S3Server]:
    """Start an S3 server for the session; its buckets are the folders below ``s3.root``."""
    with (
        tempfile.TemporaryDirectory(prefix="sparkify-s3-", ignore_cleanup_errors=True) as folder,
        servers.s3(Path(folder)) as server,
    ):
        yield server


@pytest.fixture(scope="session")
def aws() -> Iterator[str]:
    """Start a moto server for the session; return its endpoint. Tests use unique names."""
    from sandbox.aws import server

    with server() as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def sample() -> Path:
    """Return the archive of the real sample, which is not part of the project."""
    if not SAMPLE.exists():
        pytest.skip("the real sample (../shared/data/sparkify-real-sample.tar.gz) is missing")
    return SAMPLE


@pytest.fixture
def make_lab(postgres: servers.PostgresServer, s3: servers.S3Server) -> Iterator[Callable[[], Lab]]:
    """Return a function that creates labs, each with an empty bucket and an empty database."""
    labs: list[Lab] = []

    def make() -> Lab:
        name = f"lab-{uuid.uuid4().hex[:12]}"
        uri = postgres.create_database(name)
        labs.append(Lab(uri, servers.bucket(s3, name), name, connections(postgres, name, s3)))
        return labs[-1]

    yield make
    with psycopg.connect(postgres.uri(), autocommit=True) as connection:
        for lab in labs:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(lab.bucket)))


@pytest.fixture
def lab(make_lab: Callable[[], Lab], monkeypatch: pytest.MonkeyPatch) -> Lab:
    """Return a lab with Airflow's connections ``redshift`` and ``aws``."""
    lab = make_lab()
    for variable, value in lab.environment.items():
        monkeypatch.setenv(variable, value)
    return lab


@pytest.fixture
def sample_lab(lab: Lab, sample: Path) -> Lab:
    """Return a lab whose bucket contains the real sample."""
    from sandbox.upload import sync

    sync(sample, lab.store)
    return lab
