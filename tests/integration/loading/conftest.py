"""The tiny warehouse of :mod:`tests.integration.loading.world`."""

from __future__ import annotations

import functools
import logging
import uuid
from typing import TYPE_CHECKING

import psycopg
import pytest
from airflow.sdk import Connection
from psycopg import sql

from sparkify.sql import scripts
from sparkify.warehouse import session
from sparkify.warehouse.postgres.session import Postgres
from tests.integration.loading.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox import servers


@pytest.fixture(scope="module")
def world(postgres: servers.PostgresServer) -> Iterator[World]:
    """Return the tables, in a session with the warehouse."""
    name = f"world_{uuid.uuid4().hex[:12]}"
    with (
        pytest.MonkeyPatch.context() as patch,
        Postgres(Connection.from_uri(postgres.create_database(name), conn_id="world")) as warehouse,
    ):
        # The same statements are sent thousands of times.
        patch.setattr(session, "statements", functools.cache(scripts.statements))
        patch.setattr(logging.getLogger("sparkify"), "disabled", True)
        yield World(warehouse)
    with psycopg.connect(postgres.uri(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
