"""Shared fixtures: one PostgreSQL and one S3 server per test session, and labs on them."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import tempfile
import uuid
from contextlib import ExitStack
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

# By default garbage is collected so often that it takes a tenth of the time: what Airflow imports is never garbage.
gc.set_threshold(100_000)

from sandbox import servers  # noqa: E402 - after the environment is set
from tests.support import once  # noqa: E402
from tests.support.labs import EMPTY, Labs, connect  # noqa: E402

# Tests create and drop databases of 600 files. On ext4 that takes ten times as long as in memory: for each file, it
# searches for an inode that was not deleted recently.
_MEMORY = Path("/dev/shm")  # noqa: S108
DATABASES = _MEMORY if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > 4 * 1024**3 else None

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.lab import Lab

    CopyOf = Callable[[Callable[[Lab], object]], Lab]
    MakeLab = Callable[..., Lab]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long, so that all processes of pytest-xdist end together: unit tests are short."""
    items.sort(key=lambda item: item.path.is_relative_to(ROOT / "tests" / "unit"))


@pytest.fixture(scope="session")
def _once() -> Iterator[None]:
    """Do once what the process of a task does once."""
    with pytest.MonkeyPatch.context() as patch:
        once.compile_templates(patch)
        once.open_buckets(patch)
        once.create_clients(patch)
        once.log_once()
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[servers.PostgresServer]:
    """Start a PostgreSQL server for the session."""
    # Not a folder of pytest: a later test session may delete it.
    with (
        tempfile.TemporaryDirectory(prefix="sparkify-pg-", dir=DATABASES, ignore_cleanup_errors=True) as folder,
        servers.postgres(Path(folder) / "data") as server,
        psycopg.connect(server.uri(), autocommit=True) as connection,
    ):
        # The data need not survive a power failure. It has to survive a crash: synchronous_commit stays on.
        for setting, value in {"fsync": "off", "full_page_writes": "off", "max_wal_size": "256MB"}.items():
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(setting), value))
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


@pytest.fixture(scope="session")
def labs(postgres: servers.PostgresServer, s3: servers.S3Server, _once: None) -> Labs:
    """Return what creates labs."""
    return Labs(postgres, s3)


@pytest.fixture
def make_lab(labs: Labs) -> Iterator[MakeLab]:
    """Return a function that creates labs, each with an empty bucket and a separate database.

    Its argument is the database to copy: by default the warehouse's tables without rows, as the DAG's first task
    creates them; with :data:`EMPTY` there are no tables.
    """
    with labs.dropped() as make:
        yield make


@pytest.fixture
def lab(make_lab: MakeLab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """Return a lab with Airflow's connections ``redshift`` and ``aws``; its tables are empty."""
    return connect(make_lab(), monkeypatch)


@pytest.fixture
def empty_lab(make_lab: MakeLab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """Return a lab with Airflow's connections ``redshift`` and ``aws``, but without tables."""
    return connect(make_lab(EMPTY), monkeypatch)


@pytest.fixture
def copy_of(labs: Labs, monkeypatch: pytest.MonkeyPatch) -> Iterator[CopyOf]:
    """Return a function that returns a lab as another function loads it; a process of the tests calls that only once.

    The lab is connected. Its database is a copy; its bucket, whose name the warehouse has recorded, is that of all
    copies: the test's changes to it are reverted.
    """
    with ExitStack() as stack:
        yield lambda load: connect(stack.enter_context(labs.copy(load)), monkeypatch)


@pytest.fixture
def sample_lab(lab: Lab, sample: Path) -> Lab:
    """Return a lab whose bucket contains the real sample."""
    from sandbox.upload import sync

    sync(sample, lab.store)
    return lab
