"""A fresh warehouse and bucket for each test, known to Airflow as the connections ``redshift`` and ``aws``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sparkify.local import servers
from sparkify.local.airflow import connections
from tests.lab import Lab

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def lab(database: str, postgres: servers.Postgres, s3: servers.S3, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """An empty bucket and an empty database."""
    name = database.rpartition("/")[2].partition("?")[0]
    for variable, value in connections(postgres, name, s3).items():
        monkeypatch.setenv(variable, value)
    bucket = name.replace("_", "-")
    return Lab(database, servers.bucket(s3, bucket), bucket)


@pytest.fixture
def sample_lab(lab: Lab, sample: Path) -> Lab:
    """A lab whose bucket holds the real sample."""
    from sparkify.local.upload import sync

    sync(sample, lab.store)
    return lab
