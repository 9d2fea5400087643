"""The real servers that the tests share: one PostgreSQL and one S3 endpoint for a test session."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

# Airflow reads its configuration when it is first imported: keep it away from the developer's own.
os.environ["AIRFLOW__CORE__UNIT_TEST_MODE"] = "False"
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"

from sparkify.local import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT.parent / "shared" / "data" / "sparkify-real-sample.tar.gz"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Postgres]:
    """A PostgreSQL server for the whole session."""
    with servers.postgres(tmp_path_factory.mktemp("postgres") / "data") as server:
        yield server


@pytest.fixture
def database(postgres: servers.Postgres) -> Iterator[str]:
    """The URI of an empty database that is dropped after the test."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield postgres.create_database(name)
    with psycopg.connect(postgres.uri(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.S3]:
    """An S3 server for the whole session; its buckets are the folders below ``s3.root``."""
    with servers.s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="session")
def sample() -> Path:
    """The real sample, which is not part of the project."""
    if not SAMPLE.exists():
        pytest.skip("the real sample (../shared/data/sparkify-real-sample.tar.gz) is not on this machine")
    return SAMPLE
