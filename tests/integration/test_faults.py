"""Whatever dies in the middle, nothing half-written is ever visible, and the next attempt makes it right."""

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
from tests.support.data import event, song

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.context import ForkServerContext

    from sandbox import servers
    from sandbox.lab import Lab
DAY = ("2018-11-01", "2018-11-02")
KILLS = int(os.environ.get("FAULT_KILLS", "8"))


def fill(lab: Lab, events: int, *, version: int = 1) -> None:
    """Write a day of events and a few songs, one of them bad; another version has other content under the same keys."""
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
def expected(make_lab: Callable[[], Lab], monkeypatch: pytest.MonkeyPatch) -> dict[str, list[tuple[Any, ...]]]:
    """The tables after one undisturbed run over the second version of the data."""
    lab = make_lab()
    fill(lab, 1200, version=2)
    with monkeypatch.context() as patched:
        for variable, value in lab.environment.items():
            patched.setenv(variable, value)
        lab.run(*DAY)
    return lab.tables()


class Reader:
    """Polls the tables while they are loaded, each time in one snapshot."""

    def __init__(self, uri: str, allowed: set[int]) -> None:
        self.polls = 0
        self.wrong: list[str] = []
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
                    self._look(session)
                    session.rollback()

    def _look(self, session: psycopg.Connection[Any]) -> None:
        queries = {
            "staged events": "SELECT COUNT(*) FROM staging_events",
            "plays": "SELECT COUNT(*) FROM songplays",
            "levels in one interval": "SELECT COUNT(DISTINCT level) FROM songplays",
            "levels of staged events": "SELECT COUNT(DISTINCT level) FROM staging_events",
            "plays that are there twice": "SELECT COUNT(*) - COUNT(DISTINCT songplay_id) FROM songplays",
            "users that are there twice": "SELECT COUNT(*) - COUNT(DISTINCT user_id) FROM users",
        }
        for name, query in queries.items():
            row = session.execute(query).fetchone()
            assert row
            good = self._allowed if name in ("staged events", "plays") else {0, 1} if "levels" in name else {0}
            if row[0] not in good:
                self.wrong.append(f"{row[0]} {name}")
        self.polls += 1


@pytest.fixture(scope="module")
def forkserver() -> ForkServerContext:
    """Processes that start at once: what they import is imported already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["sparkify_warehouse", "sparkify.warehouse.postgres.copy", "sparkify.warehouse.postgres", "sandbox.lab"]
    )
    return context


def _run(lab: Lab, tasks: list[str]) -> None:
    os.environ.update(lab.environment)
    lab.run(*DAY, tasks=tasks)


def test_a_process_killed_at_a_random_moment_of_every_task(
    lab: Lab, expected: dict[str, Any], forkserver: ForkServerContext
) -> None:
    fill(lab, 600)
    lab.run(*DAY)
    duration: dict[str, float] = {}
    for task in lab.dag.task_ids:
        began = time.monotonic()
        lab.run(*DAY, tasks=[task])
        duration[task] = time.monotonic() - began
    fill(lab, 1200, version=2)
    chance = random.Random(7)
    killed: set[str] = set()
    with Reader(lab.uri, allowed={600, 1200}) as reader:
        for task in (task.task_id for task in lab.dag.topological_sort()):
            for attempt in range(20):
                process = forkserver.Process(target=_run, args=(lab, [task]))
                process.start()
                # A new process takes a moment to begin.
                process.join(0.03 + chance.uniform(0, duration[task]))
                if process.is_alive() and process.pid:
                    os.kill(process.pid, signal.SIGKILL)
                    killed.add(task)
                process.join()
                if attempt >= KILLS // 3 and task in killed:
                    break
            lab.run(*DAY, tasks=[task])  # as Airflow's own retry does
    assert killed == set(lab.dag.task_ids)
    assert reader.polls > 10
    assert reader.wrong == []
    assert lab.tables() == expected


def test_connections_cut_in_mid_transaction(lab: Lab, expected: dict[str, Any]) -> None:
    fill(lab, 600)
    lab.run(*DAY)
    fill(lab, 1200, version=2)
    chance = random.Random(7)
    failed = 0
    with (
        Reader(lab.uri, allowed={600, 1200}) as reader,
        psycopg.connect(lab.uri, autocommit=True, application_name="knife") as knife,
    ):
        for _ in range(KILLS):
            cut = threading.Timer(
                chance.uniform(0.02, 0.5), knife.execute, [OTHERS.format("pg_terminate_backend(pid)")]
            )
            cut.start()
            failed += not survives(lab)
            cut.join()
        lab.run(*DAY)
    assert failed
    assert reader.polls > 10
    assert reader.wrong == []
    assert lab.tables() == expected


def test_the_database_crashed_and_recovering(lab: Lab, expected: dict[str, Any]) -> None:
    fill(lab, 600)
    lab.run(*DAY)
    fill(lab, 1200, version=2)
    with Reader(lab.uri, allowed={600, 1200}) as reader:
        for _ in range(KILLS):
            crash = threading.Timer(0.1, crash_session, [lab.uri])
            crash.start()
            survived = survives(lab)
            crash.cancel()
            crash.join()
            if not survived:
                break
        else:
            pytest.fail("no session was hit")
        deadline = time.monotonic() + 30
        while not survives(lab) and time.monotonic() < deadline:
            time.sleep(0.2)
    assert reader.wrong == []
    assert lab.tables() == expected


# Something for every session that belongs to a load.
OTHERS = (
    "SELECT {} FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND application_name NOT IN ('reader', 'knife')"
)


def crash_session(uri: str) -> None:
    """Kill the process of a session: PostgreSQL then ends all sessions, and recovers from its log."""
    with psycopg.connect(uri, autocommit=True, application_name="knife") as connection:
        for (pid,) in connection.execute(OTHERS.format("pid")).fetchall():
            os.kill(pid, signal.SIGKILL)


def survives(lab: Lab) -> bool:
    """Run the day; tell whether it succeeded. It may only fail because the database went away."""
    try:
        lab.run(*DAY)
    except Exception as error:  # noqa: BLE001 - drivers have many words for it
        assert re.search(r"terminat|closed|lost|refused|reached|recovery|starting up|crash", str(error)), error
        return False
    return True


class TestS3:
    """The S3 server fails in the middle of an object."""

    @pytest.fixture
    def proxy(self, s3: servers.S3) -> Iterator[Proxy]:
        target = urlsplit(s3.endpoint)
        assert target.hostname
        assert target.port
        with Proxy((target.hostname, target.port)) as proxy:
            yield proxy

    def test_cut_off_in_mid_object(
        self, lab: Lab, proxy: Proxy, expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fill(lab, 600)
        lab.run(*DAY)
        fill(lab, 1200, version=2)
        monkeypatch.setenv("AIRFLOW_CONN_AWS", proxy.connection(os.environ["AIRFLOW_CONN_AWS"]))
        with Reader(lab.uri, allowed={600, 1200}) as reader, proxy.cutting(after=100_000):
            lab.run(*DAY)  # the client goes on where it was cut off
        assert proxy.cuts
        assert reader.wrong == []
        assert lab.tables() == expected

    def test_gone_in_mid_object(
        self, lab: Lab, proxy: Proxy, expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fill(lab, 600)
        lab.run(*DAY)
        fill(lab, 1200, version=2)
        before = lab.tables()
        direct = os.environ["AIRFLOW_CONN_AWS"]
        monkeypatch.setenv("AIRFLOW_CONN_AWS", proxy.connection(direct))
        with proxy.cutting(after=100_000, for_good=True), pytest.raises(WarehouseError, match="could not read"):
            lab.run(*DAY, tasks=["stage_events"])
        assert lab.tables() == before
        monkeypatch.setenv("AIRFLOW_CONN_AWS", direct)
        lab.run(*DAY)
        assert lab.tables() == expected


class Proxy:
    """Passes connections on, and can cut them off after some bytes of answer."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.cuts = 0
        self._target = target
        self._after: int | None = None
        self._for_good = False
        self._listener = socket.create_server(("127.0.0.1", 0))

    def connection(self, direct: str) -> str:
        """Return an Airflow connection that goes through this."""
        endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        fields = json.loads(direct)
        return json.dumps({**fields, "extra": {**fields["extra"], "endpoint_url": endpoint}})

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    @contextmanager
    def cutting(self, after: int, *, for_good: bool = False) -> Iterator[None]:
        """Cut every connection off once it has answered that many bytes.

        :param for_good: after the first cut let no connection answer at all.
        """
        self._after, self._for_good = after, for_good
        yield
        self._after = None

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                threading.Thread(target=self._pass, args=(client, server, False), daemon=True).start()
                threading.Thread(target=self._pass, args=(server, client, True), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, answer: bool) -> None:
        passed = 0
        with suppress(OSError):
            while block := source.recv(16384):
                passed += len(block)
                if answer and self._after is not None and passed > self._after:
                    self.cuts += 1
                    self._after = 0 if self._for_good else self._after
                    break
                sink.sendall(block)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
                end.close()
