"""The warehouse that a command inspects: that of a connection, or the local one that was used last."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sandbox import airflow, jobs, servers
from sparkify.quality import history

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sparkify.warehouse import Warehouse


@contextmanager
def connected(state: Path, command: str, conn_id: str = "redshift") -> Iterator[tuple[str, Warehouse] | None]:
    """Connect to the warehouse of the Airflow connection in the environment, else to the local one that was used last.

    :param state: the folder of the local servers' data.
    :param command: the name of the caller, for others that have to wait for it.
    :param conn_id: the id of the Airflow connection.
    :return: the warehouse and its name; None if there is no local one.
    """
    from sparkify.warehouse import connect

    variable = f"AIRFLOW_CONN_{conn_id.upper()}"
    if variable in os.environ or conn_id != "redshift":
        with connect(conn_id) as warehouse:
            yield f"the connection of {variable}", warehouse
        return
    if not (state / "postgres").exists():
        yield None
        return
    with _server(state, command) as server:
        name = _used_last(server)
        if name is None:
            yield None
            return
        os.environ[variable] = airflow.postgres_connection(server, name)
        with connect("redshift") as warehouse:
            yield f"database {name}", warehouse


@contextmanager
def _server(state: Path, command: str) -> Iterator[servers.PostgresServer]:
    """Connect to the server that another command runs, or start it.

    :raises BusyError: if another command is using the state and its server is not ready.
    """
    if jobs.lock_owner(state) and (running := servers.running_postgres(state / "postgres")):
        yield running
        return
    servers.exit_on_signals()
    with jobs.lock_state(state, command), servers.postgres(state / "postgres") as server:
        yield server


def _used_last(server: servers.PostgresServer) -> str | None:
    """Return the database whose checks were evaluated last."""
    import psycopg

    found = []
    for name in server.databases():
        with psycopg.connect(server.uri(name)) as connection:
            if connection.execute("SELECT to_regclass(%s)", [history.RESULTS]).fetchone() != (None,):
                newest = connection.execute(f"SELECT MAX(checked_at) FROM {history.RESULTS}").fetchone()
                if newest and newest[0]:
                    found.append((newest[0], name))
    return max(found)[1] if found else None
