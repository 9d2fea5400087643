"""Killed processes, lost connections and crashed servers leave no partial writes, and a retry loads the same tables."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import re
import signal
import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg
import pytest

from sparkify.warehouse import WarehouseError
from tests.support.data import event, song, source_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.context import ForkServerContext

    from sandbox import servers
    from sandbox.lab import Lab
DAY = ("2018-11-01", "2018-11-02")
KILLS = int(os.environ.get("FAULT_KILLS", "5"))


def fill(lab: Lab, events: int, *, version: int = 1) -> None:
    """Write a day of events, five songs and an invalid one; each version has other content under the same keys."""
    level = "free" if version == 1 else "paid"
    lab.put_events(
        DAY[0],
        [
            event(
                f"2018-11-01T05:{number % 60:02}:{number // 60 % 60:02}",
                number,
                0,
                userId=str(number % 50),
                level=level,
            )
            for number in range(events)
        ],
    )
    for number in range(5):
        lab.put_song(str(number), song(f"SO{number}", title=f"Title {version} {number}"))
    lab.put("song_data/A/A/A/bad.json", f'{{"version": {version}, ')


@pytest.fixture
def lab(empty_lab: Lab) -> Lab:
    """Return a lab whose tables are created under faults, too."""
    return empty_lab


@pytest.fixture
def expected(make_lab: Callable[[], Lab], monkeypatch: pytest.MonkeyPatch) -> dict[str, list[tuple[Any, ...]]]:
    """Return the tables of one run without faults, over version 2 of the data."""
    lab = make_lab()
    fill(lab, 1200, version=2)
    with monkeypatch.context() as patched:
        for variable, value in lab.environment.items():
            patched.setenv(variable, value)
        lab.run(*DAY)
    return tables(lab)


def tables(lab: Lab) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of all tables, and the sampled fields."""
    return {**lab.tables(), "source_fields": source_fields(lab)}


class Reader:
    """Polls the tables during a load, each time in one snapshot."""

    def __init__(self, uri: str, allowed: set[int]) -> None:
        self.polls = 0
        self.violations: list[str] = []
        self._uri = uri
        self._allowed = allowed
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._poll)

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _poll(self) -> None:
        while not self._stop.is_set():
            with suppress(psycopg.OperationalError), psycopg.connect(self._uri, application_name="reader") as session:
                session.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                while not self._stop.is_set():
                    self._check(session)
                    session.rollback()

    def _check(self, session: psycopg.Connection[Any]) -> None:
        queries = {
            "staged events": "SELECT COUNT(*) FROM staging_events",
            "plays": "SELECT COUNT(*) FROM songplays",
            "levels in one interval": "SELECT COUNT(DISTINCT level) FROM songplays",
            "levels of staged events": "SELECT COUNT(DISTINCT level) FROM staging_events",
            "duplicate plays": "SELECT COUNT(*) - COUNT(DISTINCT songplay_id) FROM songplays",
            "duplicate users": "SELECT COUNT(*) - COUNT(DISTINCT user_id) FROM users",
        }
        for name, query in queries.items():
            row = session.execute(query).fetchone()
            assert row
            allowed = self._allowed if name in ("staged events", "plays") else {0, 1} if "levels" in name else {0}
            if row[0] not in allowed:
                self.violations.append(f"{row[0]} {name}")
        self.polls += 1


@pytest.fixture(scope="module")
def forkserver() -> ForkServerContext:
    """Return a context whose processes start with the project imported."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["sparkify_warehouse", "sparkify.warehouse.postgres.copy", "sparkify.warehouse.postgres", "sandbox.lab"]
    )
    return context


def _run(lab: Lab, tasks: list[str]) -> None:
    os.environ.update(lab.environment)
    lab.run(*DAY, tasks=tasks)


def test_tasks_killed_at_random_moments(lab: Lab, expected: dict[str, Any], forkserver: ForkServerContext) -> None:
    fill(lab, 600)
    lab.run(*DAY)
    duration: dict[str, float] = {}
    for task in lab.dag.task_ids:
        started = time.monotonic()
        lab.run(*DAY, tasks=[task])
        duration[task] = time.monotonic() - started
    fill(lab, 1200, version=2)
    rng = random.Random(7)
    killed: set[str] = set()
    with Reader(lab.uri, allowed={600, 1200}) as reader:
        for task in (task.task_id for task in lab.dag.topological_sort()):
            for attempt in range(20):
                process = forkserver.Process(target=_run, args=(lab, [task]))
                process.start()
                # A process takes about 0.03 s to start.
                process.join(0.03 + rng.uniform(0, duration[task]))
                if process.is_alive() and process.pid:
                    os.kill(process.pid, signal.SIGKILL)
                    killed.add(task)
                process.join()
                if attempt >= KILLS // 3 and task in killed:
                    break
            lab.run(*DAY, tasks=[task])  # like Airflow's retry
    assert killed == set(lab.dag.task_ids)
    assert reader.polls > 10
    assert reader.violations == []
    assert tables(lab) == expected


def test_connections_lost_during_transactions(lab: Lab, expected: dict[str, Any]) -> None:
    fill(lab, 600)
    lab.run(*DAY)
    fill(lab, 1200, version=2)
    rng = random.Random(7)
    failed = 0
    with (
        Reader(lab.uri, allowed={600, 1200}) as reader,
        psycopg.connect(lab.uri, autocommit=True, application_name="injector") as injector,
    ):
        for _ in range(KILLS):
            fault = threading.Timer(rng.uniform(0.02, 0.5), terminate_sessions, [injector])
            fault.start()
            failed += not succeeds(lab)
            fault.join()
        lab.run(*DAY)
    assert failed
    assert reader.polls > 10
    assert reader.violations == []
    assert tables(lab) == expected


def test_the_database_crashes_and_recovers(lab: Lab, expected: dict[str, Any]) -> None:
    fill(lab, 600)
    lab.run(*DAY)
    fill(lab, 1200, version=2)
    with Reader(lab.uri, allowed={600, 1200}) as reader:
        for _ in range(KILLS):
            crash = threading.Timer(0.1, crash_session, [lab.uri])
            crash.start()
            succeeded = succeeds(lab)
            crash.cancel()
            crash.join()
            if not succeeded:
                break
        else:
            pytest.fail("no run was interrupted")
        deadline = time.monotonic() + 30
        while not succeeds(lab) and time.monotonic() < deadline:
            time.sleep(0.2)
    assert reader.violations == []
    assert tables(lab) == expected


def load_sessions(injector: psycopg.Connection[Any]) -> list[int]:
    """Wait for a session of a load; return the process ids of all, none if there was none for seconds."""
    deadline = time.monotonic() + 5
    found: list[int] = []
    while not found and time.monotonic() < deadline:
        rows = injector.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND application_name NOT IN ('reader', 'injector')"
        )
        found = [pid for (pid,) in rows]
    return found


def terminate_sessions(injector: psycopg.Connection[Any]) -> None:
    """End the sessions of a load, as an administrator does."""
    for pid in load_sessions(injector):
        injector.execute("SELECT pg_terminate_backend(%s)", [pid])


def crash_session(uri: str) -> None:
    """Kill the server process of a session: PostgreSQL ends all sessions and recovers from its log."""
    with psycopg.connect(uri, autocommit=True, application_name="injector") as connection:
        for pid in load_sessions(connection):
            os.kill(pid, signal.SIGKILL)


def succeeds(lab: Lab) -> bool:
    """Run the day; return whether it succeeded. The only valid reason for a failure is a lost connection."""
    try:
        lab.run(*DAY)
    except Exception as error:  # noqa: BLE001 - drivers raise different exceptions
        assert re.search(r"terminat|closed|lost|refused|reached|recovery|starting up|crash", str(error)), error
        return False
    return True


class TestS3:
    """The S3 server fails during a download."""

    @pytest.fixture
    def proxy(self, s3: servers.S3Server) -> Iterator[Proxy]:
        target = urlsplit(s3.endpoint)
        assert target.hostname
        assert target.port
        with Proxy((target.hostname, target.port)) as proxy:
            yield proxy

    def test_an_interrupted_download_is_resumed(
        self, lab: Lab, proxy: Proxy, expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fill(lab, 600)
        lab.run(*DAY)
        fill(lab, 1200, version=2)
        monkeypatch.setenv("AIRFLOW_CONN_AWS", proxy.connection(os.environ["AIRFLOW_CONN_AWS"]))
        with Reader(lab.uri, allowed={600, 1200}) as reader, proxy.interrupting(after=100_000):
            lab.run(*DAY)  # the client resumes the download
        assert proxy.interruptions
        assert reader.violations == []
        assert tables(lab) == expected

    def test_an_unavailable_server_fails_the_task_and_keeps_the_tables(
        self, lab: Lab, proxy: Proxy, expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fill(lab, 600)
        lab.run(*DAY)
        fill(lab, 1200, version=2)
        before = tables(lab)
        direct = os.environ["AIRFLOW_CONN_AWS"]
        monkeypatch.setenv("AIRFLOW_CONN_AWS", proxy.connection(direct))
        with proxy.interrupting(after=100_000, permanently=True), pytest.raises(WarehouseError, match="could not read"):
            lab.run(*DAY, tasks=["stage_events"])
        assert tables(lab) == before
        monkeypatch.setenv("AIRFLOW_CONN_AWS", direct)
        lab.run(*DAY)
        assert tables(lab) == expected


class Proxy:
    """A TCP proxy that can interrupt connections after a number of response bytes."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.interruptions = 0
        self._target = target
        self._after: int | None = None
        self._permanently = False
        self._listener = socket.create_server(("127.0.0.1", 0))

    def connection(self, direct: str) -> str:
        """Return an Airflow connection through the proxy."""
        endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        fields = json.loads(direct)
        return json.dumps({**fields, "extra": {**fields["extra"], "endpoint_url": endpoint}})

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    @contextmanager
    def interrupting(self, after: int, *, permanently: bool = False) -> Iterator[None]:
        """Interrupt each connection that exceeds a number of response bytes.

        :param after: the number of bytes.
        :param permanently: after the first interruption, block all responses.
        """
        self._after, self._permanently = after, permanently
        yield
        self._after = None

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                threading.Thread(target=self._forward, args=(client, server, False), daemon=True).start()
                threading.Thread(target=self._forward, args=(server, client, True), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket, response: bool) -> None:
        forwarded = 0
        with suppress(OSError):
            while block := source.recv(16384):
                forwarded += len(block)
                if response and self._after is not None and forwarded > self._after:
                    self.interruptions += 1
                    self._after = 0 if self._permanently else self._after
                    break
                sink.sendall(block)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
                end.close()
