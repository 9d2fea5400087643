"""Reconciliation loads exactly the periods whose files differ from what is staged."""

from __future__ import annotations

import http.client
import logging
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException

from sandbox import airflow
from sandbox.lab import LabRun
from sparkify.operators import ReconcileOperator
from sparkify.reconcile import differences
from sparkify.warehouse import WarehouseError
from tests.support.data import event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox import servers
    from sandbox.lab import Lab
    from tests.conftest import CopyOf

NOVEMBER = ("2018-11-01", "2018-11-05")
DIFFERENCES = (
    "SELECT TO_CHAR(period_start, 'MM-DD'), state, attempts FROM operations.source_differences ORDER BY period_start"
)


class Clock:
    """The time of the reconciliation: years after the files, and a day after they were staged, by default."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(minute=30, second=30) + timedelta(days=1)

    def at(self, text: str) -> None:
        self.now = datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Replace the time of the reconciliation."""
    clock = Clock()
    monkeypatch.setattr(ReconcileOperator, "now", lambda self: clock.now)
    return clock


def load_november(lab: Lab) -> None:
    """Load the first four days of November 2018."""
    for day in range(1, 5):
        put(lab, day)
    lab.run(*NOVEMBER)


@pytest.fixture
def november(copy_of: CopyOf, clock: Clock) -> Lab:
    """Return a lab that has loaded the four days."""
    return copy_of(load_november)


def key(day: int) -> str:
    return f"log_data/2018/11/2018-11-{day:02}-events.json"


def put(lab: Lab, day: int, events: int = 1) -> None:
    """Write the file of a day of November with a number of events; another number is another version."""
    lab.put_events(
        f"2018-11-{day:02}", [event(f"2018-11-{day:02}T{number % 24:02}:10", day, number) for number in range(events)]
    )


def staged(lab: Lab) -> dict[int, int]:
    """Return the number of staged events by day."""
    return dict(lab.query("SELECT sessionid, COUNT(*) FROM staging_events GROUP BY 1 ORDER BY 1"))


def days(*spans: tuple[int, int]) -> list[str]:
    """Return the intervals of runs."""
    return [f"2018-11-{start:02}T00:00_2018-11-{end:02}T00:00" for start, end in spans]


def reconcile(lab: Lab) -> list[str]:
    return lab.reconcile()


def all_triggers(lab: Lab) -> list[dict[str, Any]]:
    """Return all that one pass triggers, a run of its own DAG included."""
    triggers: list[dict[str, Any]] = lab.execute(lab.dag_of("sparkify_reconcile").get_task("reconcile"))
    return list(triggers)


def checks(lab: Lab) -> dict[str, bool]:
    """Return the checks of the last pass: whether each has passed."""
    return {item["check"]: item["passed"] for item in lab.xcoms["reconcile"]["checks"]}


def test_nothing_is_triggered_if_nothing_differs(november: Lab) -> None:
    assert all_triggers(november) == []
    assert november.query(DIFFERENCES) == []
    assert checks(november) == {"reconcile_backlog": True}


def test_a_file_that_changed_years_later_is_loaded(november: Lab) -> None:
    put(november, 2, 5)
    assert reconcile(november) == days((2, 3))
    assert staged(november) == {1: 1, 2: 5, 3: 1, 4: 1}
    assert november.query(DIFFERENCES) == []


@pytest.mark.parametrize("failed", ["load_songplays", "load_users", "load_time"])
def test_a_day_that_was_staged_and_not_loaded_is_loaded(november: Lab, failed: str) -> None:
    """The last tasks of its run have failed for good."""
    tasks = november.dag.task_ids
    put(november, 2, 5)
    november.run("2018-11-02", "2018-11-03", tasks=tasks[: tasks.index(failed)])
    assert staged(november)[2] == 5
    assert reconcile(november) == days((2, 3))
    assert november.one("SELECT COUNT(*) FROM songplays") == 8
    assert november.one("SELECT COUNT(*) FROM time") == 8
    assert november.query(DIFFERENCES) == []


def test_hours_that_were_staged_and_not_loaded_are_loaded(lab: Lab, clock: Clock) -> None:
    clock.at("2018-11-01T09:30")
    put(lab, 1, 24)
    lab.run("2018-11-01T00:00", "2018-11-01T05:00")
    lab.run("2018-11-01T05:00", "2018-11-01T06:00", tasks=["stage_events"])
    lab.run("2018-11-01T06:00", "2018-11-01T09:00")
    assert reconcile(lab) == ["2018-11-01T05:00_2018-11-01T06:00"]
    assert lab.one("SELECT COUNT(*) FROM songplays") == 9


def test_contiguous_days_are_one_run_oldest_first(november: Lab) -> None:
    for day in (4, 1, 2):
        put(november, day, 5)
    assert reconcile(november) == days((1, 3), (4, 5))


def test_a_day_that_appeared_late_is_loaded(lab: Lab, clock: Clock) -> None:
    for day in (1, 2, 4):
        put(lab, day)
    lab.run(*NOVEMBER)
    put(lab, 3)
    assert reconcile(lab) == days((3, 4))
    assert staged(lab) == {1: 1, 2: 1, 3: 1, 4: 1}


def test_gaps_are_filled_between_the_first_and_the_last_staged_day(lab: Lab, clock: Clock) -> None:
    """A warehouse of November 2018 does not begin to load other years."""
    for day in range(1, 10):
        put(lab, day)
    lab.put_events("2019-06-01", [event("2019-06-01T05:00", 99)])
    lab.run("2018-11-03", "2018-11-04")
    lab.run("2018-11-07", "2018-11-08")
    assert reconcile(lab) == days((4, 7))
    assert set(staged(lab)) == {3, 4, 5, 6, 7}


def test_gaps_are_filled_from_since_on(lab: Lab, clock: Clock) -> None:
    for day in range(1, 10):
        put(lab, day)
    lab.put_events("2019-06-01", [event("2019-06-01T05:00", 99)])
    lab.run("2018-11-03", "2018-11-04")
    lab.run("2018-11-07", "2018-11-08")
    lab.variables["sparkify_reconcile_since"] = "2018-11-06"
    assert reconcile(lab) == [*days((6, 7), (8, 10)), "2019-06-01T00:00_2019-06-02T00:00"]
    put(lab, 3, 7)  # before since, but staged
    assert reconcile(lab) == days((3, 4))
    lab.variables["sparkify_reconcile_since"] = "2018-11-02"
    assert reconcile(lab) == days((2, 3), (4, 6))


def test_an_empty_warehouse_is_loaded_from_since_on(lab: Lab, clock: Clock) -> None:
    put(lab, 2)
    assert all_triggers(lab) == []
    lab.variables["sparkify_reconcile_since"] = "2018-11-01T00:00Z"
    assert reconcile(lab) == days((2, 3))


def test_a_warehouse_without_tables_is_left_to_the_dag_that_creates_them(empty_lab: Lab, clock: Clock) -> None:
    put(empty_lab, 2)
    assert all_triggers(empty_lab) == []
    empty_lab.variables["sparkify_reconcile_since"] = "2018-11-01"
    (again,) = all_triggers(empty_lab)
    assert again["trigger_dag_id"] == "sparkify_reconcile"


def test_an_invalid_since_fails_with_the_remedy(november: Lab) -> None:
    november.variables["sparkify_reconcile_since"] = "yesterday"
    with pytest.raises(AirflowFailException, match=r"Invalid Variable sparkify_reconcile_since: 'yesterday' is not"):
        all_triggers(november)


def test_since_in_the_future_fills_no_gap(november: Lab) -> None:
    november.variables["sparkify_reconcile_since"] = "2100-01-01"
    put(november, 2, 3)
    assert reconcile(november) == days((2, 3))


def test_hours_that_were_missed_are_loaded(lab: Lab, clock: Clock) -> None:
    """The day is loaded as a whole when it has ended."""
    put(lab, 1, 24)
    for start, end in (("00", "05"), ("10", "12")):
        lab.run(f"2018-11-01T{start}:00", f"2018-11-01T{end}:00")
    clock.at("2018-11-01T12:30")
    assert reconcile(lab) == ["2018-11-01T05:00_2018-11-01T10:00"]
    assert staged(lab) == {1: 12}
    clock.at("2018-11-01T15:30")
    assert reconcile(lab) == ["2018-11-01T12:00_2018-11-01T15:00"]
    put(lab, 1, 25)
    assert reconcile(lab) == []  # the run that closes the day loads the changed file
    clock.at("2018-11-02T00:30")
    assert reconcile(lab) == days((1, 2))
    assert staged(lab) == {1: 25}


def test_the_hour_that_has_just_ended_is_left_to_the_schedule(lab: Lab, clock: Clock) -> None:
    put(lab, 1, 24)
    lab.run("2018-11-01T00:00", "2018-11-01T05:00")
    clock.at("2018-11-01T06:01")
    assert all_triggers(lab) == [
        {
            "trigger_dag_id": "sparkify_reconcile",
            "trigger_run_id": "again__staging_events__2018-11-01T06:02",
            "run_after": "2018-11-01T06:02:00+00:00",
        }
    ]
    clock.at("2018-11-01T06:02")
    assert reconcile(lab) == ["2018-11-01T05:00_2018-11-01T06:00"]


def test_a_day_that_is_covered_by_runs_of_different_versions_is_loaded_again(lab: Lab, clock: Clock) -> None:
    """The events of the first hours may have changed with the file."""
    put(lab, 1, 3)
    lab.run("2018-11-01T00:00", "2018-11-01T12:00")
    lab.put_events("2018-11-01", [event("2018-11-01T01:10", 1), event("2018-11-01T13:00", 2)])
    lab.run("2018-11-01T12:00", "2018-11-01T18:00")
    lab.run("2018-11-01T18:00", "2018-11-01T23:30")
    assert reconcile(lab) == days((1, 2))
    assert staged(lab) == {1: 1, 2: 1}


def test_files_uploaded_again_with_equal_content_are_not_loaded(november: Lab) -> None:
    for day in range(1, 5):
        put(november, day)
    assert all_triggers(november) == []


def test_vanished_files_are_reported_once_and_nothing_is_deleted(november: Lab, clock: Clock) -> None:
    november.store.delete(key(2))
    assert all_triggers(november) == []
    assert november.query(DIFFERENCES) == [("11-02", "vanished", 0)]
    assert checks(november) == {"vanished_files": False, "reconcile_backlog": True}
    clock.now += timedelta(hours=1)
    assert all_triggers(november) == []
    assert checks(november) == {"reconcile_backlog": True}
    november.store.delete(key(3))
    assert all_triggers(november) == []
    (warning,) = [item for item in november.xcoms["reconcile"]["checks"] if item["check"] == "vanished_files"]
    assert warning["sample"] == [{"period_start": "2018-11-03 00:00"}]
    assert staged(november) == {1: 1, 2: 1, 3: 1, 4: 1}


def test_a_vanished_file_that_is_restored_is_resolved(november: Lab) -> None:
    november.store.delete(key(2))
    reconcile(november)
    put(november, 2)
    assert reconcile(november) == []
    assert november.query(DIFFERENCES) == []
    november.store.delete(key(2))
    reconcile(november)
    put(november, 2, 9)
    assert reconcile(november) == days((2, 3))


def test_deletion_that_was_accepted_is_resolved(november: Lab) -> None:
    november.store.delete(key(2))
    reconcile(november)
    november.run("2018-11-02", "2018-11-03", accept_vanished=True)
    assert reconcile(november) == []
    assert november.query(DIFFERENCES) == []
    assert staged(november) == {1: 1, 3: 1, 4: 1}


def test_a_pass_triggers_a_bounded_number_of_runs(lab: Lab, clock: Clock) -> None:
    """Several passes load all of it, oldest first; one alert has the backlog."""
    lab.run("2018-11-01", "2018-11-30")
    for day in range(1, 13, 2):
        put(lab, day)
    first = all_triggers(lab)
    assert [item.get("conf", {}).get("start", "again")[:10] for item in first] == [
        "2018-11-01", "2018-11-03", "2018-11-05", "2018-11-07", "again",
    ]  # fmt: skip
    assert first[-1]["run_after"] == f"{clock.now:%Y-%m-%dT%H}:32:00+00:00"
    assert checks(lab) == {"reconcile_backlog": False}
    for item in first[:-1]:
        lab.trigger(item)
    assert reconcile(lab) == days((9, 10), (11, 12))
    assert checks(lab) == {"reconcile_backlog": True}
    assert len(staged(lab)) == 6


def test_runs_are_only_triggered_within_the_free_slots(november: Lab, clock: Clock) -> None:
    for day in (1, 3):
        put(november, day, 5)
    hours = [clock.now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=hour) for hour in range(6)]
    november.dag_runs = {str(at): LabRun("running", at) for at in hours}
    (again,) = all_triggers(november)
    assert again["trigger_dag_id"] == "sparkify_reconcile"
    november.dag_runs.popitem()
    first, again = all_triggers(november)
    assert first["conf"]["start"] == "2018-11-01T00:00:00+00:00"
    assert "run_after" in again


def test_nothing_is_triggered_beside_a_run_of_the_same_hours(november: Lab) -> None:
    """Scheduled runs and those of backfills have a logical date; the run of the last hour closes the day."""
    for day in (1, 3):
        put(november, day, 5)
    november.dag_runs["backfill"] = LabRun("queued", datetime(2018, 11, 3, 23, tzinfo=UTC))
    first, again = all_triggers(november)
    assert first["conf"]["start"] == "2018-11-01T00:00:00+00:00"
    assert "run_after" in again
    november.trigger(first)
    november.dag_runs["backfill"] = LabRun("success", datetime(2018, 11, 3, 23, tzinfo=UTC))
    assert reconcile(november) == days((3, 4))


def test_nothing_is_triggered_beside_a_run_whose_interval_is_unknown(
    november: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    put(november, 1, 5)
    november.dag_runs["manual"] = LabRun("running")
    with caplog.at_level(logging.INFO):
        (again,) = all_triggers(november)
    assert "run_after" in again
    assert "the interval of an active run is unknown" in caplog.text
    november.dag_runs["manual"] = LabRun("failed")
    assert reconcile(november) == days((1, 2))


def test_nothing_is_triggered_beside_its_own_active_run(november: Lab, clock: Clock) -> None:
    put(november, 1, 5)
    first, *_ = all_triggers(november)
    run_id = first["trigger_run_id"]
    november.dag_runs[run_id] = LabRun("running")
    put(november, 1, 6)  # changed again, while the run may be reading it
    put(november, 3, 5)
    clock.now += timedelta(minutes=3)
    second, again = all_triggers(november)
    assert second["conf"]["start"] == "2018-11-03T00:00:00+00:00"
    assert "run_after" in again
    november.dag_runs[second["trigger_run_id"]] = LabRun("running")
    november.run("2018-11-01", "2018-11-02", tasks=["stage_events"])  # the run is still loading
    assert [list(item) for item in all_triggers(november)] == [["trigger_dag_id", "trigger_run_id", "run_after"]]
    put(november, 1, 7)
    put(november, 4, 5)
    third, again = all_triggers(november)
    assert third["conf"]["start"] == "2018-11-04T00:00:00+00:00"
    november.trigger(third)
    november.dag_runs = dict.fromkeys(november.dag_runs, LabRun("success"))
    clock.now += timedelta(days=2)
    assert reconcile(november) == days((1, 2), (3, 4))
    assert staged(november) == {1: 7, 2: 1, 3: 5, 4: 5}


def test_nothing_is_triggered_while_the_dag_is_paused(november: Lab, caplog: pytest.LogCaptureFixture) -> None:
    put(november, 1, 5)
    november.paused = True
    assert all_triggers(november) == []
    assert november.query(DIFFERENCES) == [("11-01", "changed", 0)]
    assert "is paused" in caplog.text
    november.paused = False
    assert reconcile(november) == days((1, 2))


def test_a_failing_file_is_isolated_and_tried_again_with_back_off(november: Lab, clock: Clock) -> None:
    for day in (1, 2, 3):
        put(november, day, 5)
    november.put(key(2), "not JSON")
    assert reconcile(november) == days((1, 4))
    assert staged(november) == {1: 1, 2: 1, 3: 1, 4: 1}
    clock.now += timedelta(minutes=59)
    assert reconcile(november) == []
    clock.now += timedelta(minutes=1)
    assert reconcile(november) == days((1, 2), (2, 3), (3, 4))
    assert staged(november) == {1: 5, 2: 1, 3: 5, 4: 1}
    assert november.query(DIFFERENCES) == [("11-02", "changed", 2)]
    attempts = []
    for hour in range(1, 31):
        clock.now += timedelta(hours=1)
        if reconcile(november):
            attempts.append(hour)
    assert attempts == [2, 6, 14, 30]
    put(november, 2, 7)  # corrected: loaded at once
    assert reconcile(november) == days((2, 3))
    assert november.query(DIFFERENCES) == []


def test_a_file_that_keeps_changing_is_loaded_at_longer_intervals(lab: Lab, clock: Clock) -> None:
    """A version every minute, for a day."""
    clock.now = datetime.now(UTC)
    put(lab, 1)
    lab.run("2018-11-01", "2018-11-02")
    started, loads = clock.now, []
    for minute in range(0, 24 * 60, 10):
        clock.now = started + timedelta(minutes=minute)
        put(lab, 1, 2 + minute)
        if reconcile(lab):
            loads.append(minute)
            with psycopg.connect(lab.uri) as connection:  # the database's own clock stands still
                connection.execute(
                    "UPDATE operations.staged_periods SET staged_at = %s", [clock.now.replace(tzinfo=None)]
                )
    assert loads == [0, 10, 30, 70, 150, 310, 630, 1270]


def test_a_run_that_was_not_triggered_is_claimed_again(november: Lab, clock: Clock) -> None:
    """The task, or the one that triggers, was killed after the differences were recorded."""
    for day in (1, 2, 4):
        put(november, day, 5)
    first = all_triggers(november)
    clock.now += timedelta(minutes=1)
    assert all_triggers(november) == first
    november.trigger(first[0])
    clock.now += timedelta(minutes=1)
    assert all_triggers(november) == first[1:]
    assert reconcile(november) == days((4, 5))
    assert staged(november) == {1: 5, 2: 5, 3: 1, 4: 5}


@pytest.mark.parametrize("call", [1, 2])
def test_a_pass_that_is_killed_anywhere_forgets_nothing(
    november: Lab, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    """Before the differences are recorded, and after."""
    put(november, 2, 5)
    write: Callable[..., None] = differences.write

    def killed(*arguments: Any) -> None:
        if call == 2:
            write(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(differences, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            all_triggers(november)
    assert reconcile(november) == days((2, 3))
    assert len(november.dag_runs) == 1


def test_a_concurrent_pass_triggers_nothing_twice(november: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one to record what it has found fails, and its retry sees the first one's claims."""
    put(november, 2, 5)
    write: Callable[..., None] = differences.write
    first: list[dict[str, Any]] = []

    def after_another(*arguments: Any) -> None:
        monkeypatch.setattr(differences, "write", write)
        first.extend(all_triggers(november))
        write(*arguments)

    monkeypatch.setattr(differences, "write", after_another)
    with pytest.raises(WarehouseError, match="Another reconciliation has changed"):
        all_triggers(november)
    for item in first:
        november.trigger(item)
    assert reconcile(november) == []
    assert staged(november)[2] == 5


def test_a_vanished_file_is_reported_by_the_retry_of_a_killed_task(
    november: Lab, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    november.store.delete(key(2))
    task = november.dag_of("sparkify_reconcile").get_task("reconcile")
    run = {"run_id": "one", "start_date": clock.now - timedelta(minutes=1)}
    november.execute(task, run=run)
    clock.now += timedelta(minutes=1)
    november.execute(task, run=run)
    assert "vanished_files" in checks(november)
    november.execute(task, run={"run_id": "two", "start_date": clock.now})
    assert "vanished_files" not in checks(november)


class Recorder(BaseHTTPRequestHandler):
    """A proxy that records the requests to an S3 server.

    The header Host, which is signed, is that of the server, because obstore's requests name it.
    """

    server_name: ClassVar[str]
    requests: ClassVar[list[str]]

    def do_GET(self) -> None:
        self.requests.append(self.path)
        connection = http.client.HTTPConnection(self.server_name)
        connection.putrequest("GET", self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        body = response.read()
        self.send_response(response.status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", response.headers["Content-Type"])
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Print nothing."""


@pytest.fixture
def requests(lab: Lab, s3: servers.S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Return the paths of the requests that the lab's tasks send to S3."""
    Recorder.requests, Recorder.server_name = [], s3.endpoint.removeprefix("http://")
    with ThreadingHTTPServer(("127.0.0.1", 0), Recorder) as proxy:
        thread = threading.Thread(target=proxy.serve_forever)
        thread.start()
        monkeypatch.setenv("AIRFLOW_CONN_AWS", airflow.aws_connection(f"http://127.0.0.1:{proxy.server_port}"))
        yield Recorder.requests
        proxy.shutdown()
        thread.join()


def test_a_pass_sends_one_listing(lab: Lab, s3: servers.S3Server, clock: Clock, requests: list[str]) -> None:
    """A request per thousand files, and none per file or period."""
    first = datetime(2012, 1, 1, tzinfo=UTC)
    for day in range(2500):
        path = s3.root / lab.bucket / (first + timedelta(days=day)).strftime("log_data/%Y/%m/%Y-%m-%d-events.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    lab.variables["sparkify_reconcile_since"] = "2012-01-01"
    requests.clear()
    assert len(lab.reconcile_pass()) == 3  # of 1,000 days each
    assert len(requests) == 3
    assert all("list-type=2" in path for path in requests)
