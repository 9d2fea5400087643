"""The hours that the schedule does not load, and the feeder as a process."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import psycopg
import pytest
from psycopg.types.json import Json

from sandbox import airflow, servers
from sandbox.feed import Feed, Report, options
from sandbox.live import CatchUp, _feeder, _first_report
from sandbox.live_hours import HOUR, last_full, runs
from sandbox.live_state import Journal, Place, State
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DDL = """
CREATE TABLE dag (dag_id text, is_paused boolean, next_dagrun_create_after timestamptz,
    next_dagrun_data_interval_start timestamptz, next_dagrun_data_interval_end timestamptz);
CREATE TABLE dag_run (id serial, dag_id text, run_id text, state text, data_interval_start timestamptz,
    data_interval_end timestamptz, conf json, start_date timestamptz, end_date timestamptz);
"""


class Desk:
    """What :class:`CatchUp` works with: Airflow's two tables as far as it reads them, and its API as far as it asks."""

    def __init__(self, database: str, folder: Path) -> None:
        self.database = database
        self.place = Place(folder)
        self.orders: list[dict[str, Any]] = []
        self.refused: set[str] = set()
        self.now = datetime.now(UTC)
        with psycopg.connect(database) as connection:
            connection.execute(DDL)
            connection.execute("INSERT INTO dag VALUES (%s, FALSE)", [airflow.DAG_ID])
        journal = Journal(self.place, State(1, self.now.isoformat(), metadata=database))
        stack: Any = SimpleNamespace(client=self.client)
        self.start = (self.now - timedelta(days=1)).date()
        self.midnight = datetime(self.start.year, self.start.month, self.start.day, tzinfo=UTC)
        self.catch_up = CatchUp(stack, self.place, self.start, journal)
        self.report(self.now)

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        def answer(request: httpx.Request) -> httpx.Response:
            assert (request.method, request.url.path) == ("POST", f"/api/v2/dags/{airflow.DAG_ID}/dagRuns")
            order = json.loads(request.content)
            if order["dag_run_id"] in self.refused:
                return httpx.Response(409, json={})
            self.orders.append(order)
            return httpx.Response(200, json={})

        with httpx.Client(transport=httpx.MockTransport(answer), base_url="http://airflow") as client:
            yield client

    def report(self, at: datetime) -> None:
        Report(at.isoformat(), 1, None, 1).save(self.place.feeder_report)

    def run(self, start: datetime | None, end: datetime | None, state: str = "success", conf: Any = None) -> None:
        with psycopg.connect(self.database) as connection:
            connection.execute(
                "INSERT INTO dag_run (dag_id, run_id, state, data_interval_start, data_interval_end, conf) "
                "VALUES (%s, 'run', %s, %s, %s, %s)",
                [airflow.DAG_ID, state, start, end, Json(conf)],
            )


@pytest.fixture
def desk(database: str, tmp_path: Path) -> Desk:
    return Desk(database, tmp_path)


def test_all_but_the_last_hour_is_loaded_by_one_run(desk: Desk) -> None:
    ranges = desk.catch_up.load()
    ((start, end),) = ranges
    assert start == desk.midnight
    assert end in (last_full(desk.now) - HOUR, last_full(datetime.now(UTC)) - HOUR)
    (order,) = desk.orders
    assert order["conf"] == {"start": start.isoformat(), "end": end.isoformat()}
    assert order["logical_date"] is None


def test_an_hour_has_a_run_whatever_came_of_it(desk: Desk) -> None:
    desk.run(None, None, "queued", {"start": desk.midnight.isoformat(), "end": (desk.midnight + 3 * HOUR).isoformat()})
    desk.run(desk.midnight + 4 * HOUR, desk.midnight + 5 * HOUR, "failed")
    desk.run(desk.midnight + 6 * HOUR, desk.now, "running", {})
    desk.run(None, None, "failed", {"start": "nonsense"})  # it loads nothing
    desk.run(None, None, "failed", {"start": "0001-01-01T00:00:00+14:00", "end": "9999-12-31T23:00:00-14:00"})
    at = desk.midnight
    assert desk.catch_up.load() == [(at + 3 * HOUR, at + 4 * HOUR), (at + 5 * HOUR, at + 6 * HOUR)]
    assert len(runs(desk.database, airflow.DAG_ID)) == 3


def test_a_run_that_cannot_be_read_is_reported_once(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.run(None, None, "failed", {"start": "0001-01-01T00:00:00+14:00", "end": "2018-11-02"})
    for _ in range(2):
        assert len(desk.catch_up.load()) == 1
    assert capsys.readouterr().out.count("Skipped the run 'run' of sparkify_warehouse") == 1


def test_a_run_that_airflow_refuses_keeps_no_other_from_being_made(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody has made a run of that name, which loads other hours."""
    at = desk.midnight
    desk.run(at + 3 * HOUR, at + 4 * HOUR)
    desk.refused.add(f"catch_up__{at:%Y-%m-%dT%H:%M}_{at + 3 * HOUR:%Y-%m-%dT%H:%M}")
    ((start, _),) = desk.catch_up.load()
    assert start == at + 4 * HOUR
    assert "triggering one failed" in capsys.readouterr().out


def test_nothing_is_ordered_that_the_app_has_not_written(desk: Desk) -> None:
    desk.report(desk.midnight + 5 * HOUR + timedelta(minutes=1))
    assert desk.catch_up.load() == [(desk.midnight, desk.midnight + 4 * HOUR)]
    desk.place.feeder_report.unlink()
    assert desk.catch_up.load() == []


def test_nothing_is_ordered_while_somebody_has_paused_the_dag(desk: Desk) -> None:
    with psycopg.connect(desk.database) as connection:
        connection.execute("UPDATE dag SET is_paused = TRUE")
    assert desk.catch_up.load() == []
    assert desk.orders == []


def test_the_feeder_writes_and_goes_with_its_supervisor(s3: servers.S3, tmp_path: Path) -> None:
    """Also with one that is killed."""
    place = Place(tmp_path)
    place.folder.mkdir()
    start = (datetime.now(UTC) - timedelta(days=1)).date()
    store = servers.bucket(s3, "sparkify-live")
    with _feeder(place, s3, start) as feeder:
        report = _first_report(place, feeder)
        assert feeder.poll() is None
    assert feeder.returncode == 0
    again = Feed(options(start), store)
    assert again.advance(datetime.fromisoformat(report.at)) == report

    code = (
        "import sys, time; from pathlib import Path; from datetime import date; from types import SimpleNamespace\n"
        "from sandbox.live import _feeder; from sandbox.live_state import Place\n"
        "with _feeder(Place(Path(sys.argv[1])), SimpleNamespace(endpoint=sys.argv[2]),"
        " date.fromisoformat(sys.argv[3])) as feeder:\n    print(feeder.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path), s3.endpoint, str(start)],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT / "plugins")},
        stdout=subprocess.PIPE,
        text=True,
    ) as supervisor:
        assert supervisor.stdout
        process = psutil.Process(int(supervisor.stdout.readline()))
        supervisor.kill()
    gone, _ = psutil.wait_procs([process], timeout=20)
    assert gone == [process]


def test_what_is_complete_is_not_written_again(s3: servers.S3) -> None:
    store = servers.bucket(s3, "feed-again")
    world = options(date(2026, 11, 1))
    noon = datetime(2026, 11, 3, 12, tzinfo=UTC)
    Feed(world, store).advance(noon)
    before = {item["path"]: item["last_modified"] for page in store.list() for item in page}
    time.sleep(1.1)  # S3 counts seconds
    Feed(world, store).advance(noon + timedelta(minutes=10))
    after = {item["path"]: item["last_modified"] for page in store.list() for item in page}
    assert [key for key in before if before[key] != after[key]] == ["log_data/2026/11/2026-11-03-events.json"]
