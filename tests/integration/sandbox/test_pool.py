"""The API server has enough connections for its threads, and PostgreSQL for all components; counted, not timed."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import anyio
import psycopg
import pytest
import yaml
from anyio.to_thread import current_default_thread_limiter

from sandbox import deployment
from tests.conftest import ROOT

if TYPE_CHECKING:
    from sandbox import servers

SIZE, OVERFLOW = "AIRFLOW__DATABASE__SQL_ALCHEMY_POOL_SIZE", "AIRFLOW__DATABASE__SQL_ALCHEMY_MAX_OVERFLOW"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())
POOLS = {"make up": deployment.POOL, "compose": COMPOSE["services"]["airflow-api-server"]["environment"]}
# What a thread may hold at once: the session of the request, and one that a function opens for itself.
HELD = 2


def default_pool() -> int:
    """Return the number of connections of a component by default."""
    from airflow.configuration import conf

    names = {"sql_alchemy_pool_size": 5, "sql_alchemy_max_overflow": 10}
    return sum(conf.getint("database", name, fallback=value) for name, value in names.items())


def server_threads() -> int:
    """Return the number of threads of FastAPI: the default of anyio."""

    async def limit() -> float:
        return current_default_thread_limiter().total_tokens

    return int(anyio.run(limit))


@pytest.mark.parametrize("settings", POOLS.values(), ids=POOLS)
def test_threads_that_wait_for_a_second_connection_always_find_one(settings: dict[str, str]) -> None:
    """If each thread holds all but its last connection, one more connection lets one of them continue."""
    connections = int(settings[SIZE]) + int(settings[OVERFLOW])
    assert default_pool() < server_threads()  # else the setting is not needed any more
    assert connections >= server_threads() * (HELD - 1) + 1


def test_postgres_has_connections_for_all_components(postgres: servers.PostgresServer) -> None:
    pool = int(deployment.POOL[SIZE]) + int(deployment.POOL[OVERFLOW])
    others = (len(deployment.COMPONENTS) - 1) * default_pool()
    tasks = (
        inspect.signature(deployment.run_deployment).parameters["parallelism"].default
    )  # each has one of the warehouse
    with psycopg.connect(postgres.uri()) as connection:
        (most,) = connection.execute("SELECT current_setting('max_connections')::int").fetchone() or (0,)
    assert pool + others + tasks <= most
    assert {name: POOLS["compose"][name] for name in (SIZE, OVERFLOW)} == deployment.POOL
