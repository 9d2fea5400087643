"""Failures on Redshift leave no partial writes, and a retry loads the expected tables."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException

from sparkify.warehouse import WarehouseError, connect
from sparkify.warehouse.redshift import Redshift
from tests.redshift.faults import Fault, disconnection, serialization_error, shutdown
from tests.redshift.test_dag import DAY, fill, on_postgres
from tests.support.data import event, song, source_fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.lab import Lab
    from tests.redshift.endpoint import Endpoint

pytestmark = pytest.mark.filterwarnings("ignore:ssl:DeprecationWarning")  # of redshift_connector


@pytest.fixture
def expected(make_lab: Callable[[], Lab]) -> dict[str, list[tuple[Any, ...]]]:
    """Return the tables of one run without faults, on PostgreSQL."""

    def work(lab: Lab) -> None:
        fill(lab)
        lab.run(*DAY)

    return on_postgres(make_lab, work)


@pytest.fixture(autouse=True)
def short_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limit the backoff between attempts to 20 ms."""
    sleep = time.sleep
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: sleep(min(seconds, 0.02)))


def run(lab: Lab) -> int:
    """Run the tasks of the day with their retries; return the number of failed attempts."""
    failed = 0
    for task in lab.dag.topological_sort():
        for attempt in range(task.retries + 1):
            try:
                lab.run(*DAY, tasks=[task.task_id])
                break
            except Exception:
                if attempt == task.retries:
                    raise
                failed += 1
    return failed


JSON = "FORMAT AS JSON 'auto'"

# One statement per task, and the commit.
STATEMENTS = [
    "CREATE TABLE IF NOT EXISTS operations.rejected_rows",
    "COPY landing_1 .*log_data",
    "INSERT INTO staging_events",
    "COPY landing_1 .*manifest",
    "INSERT INTO staging_songs",
    "MERGE INTO songs USING",
    "MERGE INTO artists",
    "LOCK songplays",
    "UPDATE songplays",
    "MERGE INTO users",
    "MERGE INTO time",
    "ANALYZE",
    "commit",
]


@pytest.fixture
def analyzed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Analyze tables after small changes, too."""
    monkeypatch.setattr(Redshift, "unanalyzed", 0)


def prepare(lab: Lab) -> None:
    """Run the day without files, so that the next run merges into existing tables; one of them is missing."""
    lab.run(*DAY)
    with psycopg.connect(lab.uri) as connection:
        connection.execute("DROP TABLE operations.rejected_rows")
    fill(lab)


@pytest.mark.slow
@pytest.mark.usefixtures("analyzed")
def test_serialization_conflicts_are_retried_within_the_task(
    redshift: Lab, endpoint: Endpoint, expected: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    prepare(redshift)
    endpoint.faults += [Fault(pattern, serialization_error, times=2) for pattern in STATEMENTS]
    assert run(redshift) == 0
    assert [fault.pattern for fault in endpoint.faults if not fault.exhausted] == []
    assert caplog.text.count("Serialization conflict, retrying in") == 2 * len(STATEMENTS)
    assert redshift.tables() == expected


@pytest.mark.usefixtures("analyzed")
@pytest.mark.parametrize("after_execution", [False, True], ids=["before execution", "after execution"])
def test_a_task_retry_recovers_from_a_lost_session(
    redshift: Lab, endpoint: Endpoint, expected: dict[str, Any], after_execution: bool
) -> None:
    prepare(redshift)
    endpoint.faults += [Fault(pattern, disconnection, after_execution=after_execution) for pattern in STATEMENTS]
    assert run(redshift) == len(STATEMENTS)
    assert [fault.pattern for fault in endpoint.faults if not fault.exhausted] == []
    assert redshift.tables() == expected


def test_fields_are_recorded_once_after_conflicts_and_a_lost_session(
    redshift: Lab, endpoint: Endpoint, make_lab: Callable[[], Lab]
) -> None:
    expected: list[Any] = []

    def work(lab: Lab) -> None:
        fill(lab)
        lab.run(*DAY)
        expected.append(source_fields(lab))

    on_postgres(make_lab, work)
    fill(redshift)
    insert = "INSERT INTO operations.source_fields"
    endpoint.faults += [Fault(insert, serialization_error, times=2), Fault(insert, disconnection, after_execution=True)]
    assert run(redshift) == 1
    assert [fault.pattern for fault in endpoint.faults if not fault.exhausted] == []
    assert [source_fields(redshift)] == expected


def test_task_retries_recover_from_a_session_lost_at_any_commit(
    redshift: Lab, endpoint: Endpoint, expected: dict[str, Any]
) -> None:
    fill(redshift)
    redshift.run(*DAY)
    endpoint.received.clear()
    redshift.run(*DAY)
    commits = len(endpoint.statements("commit"))
    assert commits > 10
    for after_execution, first in product((False, True), (1, 3, 5)):
        # The commits of a failed attempt count as well: at most five per task.
        numbers = range(first, commits, 6)
        endpoint.faults[:] = [
            Fault("commit", disconnection, nth=number, after_execution=after_execution) for number in numbers
        ]
        assert run(redshift) == len(endpoint.faults)
        assert redshift.tables() == expected


def test_a_task_retry_recovers_from_a_session_ended_by_an_administrator(
    redshift: Lab, endpoint: Endpoint, expected: dict[str, Any]
) -> None:
    prepare(redshift)
    endpoint.faults.append(Fault("MERGE INTO songplays", shutdown))
    assert run(redshift) == 1
    assert redshift.tables() == expected


def test_a_transaction_fails_after_eight_conflicts(redshift: Lab, endpoint: Endpoint) -> None:
    endpoint.faults.append(Fault("INSERT INTO staging_events", serialization_error, times=100))
    fill(redshift)
    redshift.run(*DAY, tasks=["create_tables"])
    with pytest.raises(Exception, match="Serializable isolation violation"):
        redshift.run(*DAY, tasks=["stage_events"])
    assert len(endpoint.statements("-- Insert the rows of")) == 8
    assert redshift.counts()["staging_events"] == 0


def test_a_malformed_file_is_reported_and_nothing_is_staged(redshift: Lab) -> None:
    fill(redshift)
    redshift.run(*DAY)
    before = redshift.tables()
    redshift.put_events(DAY[0], [event("2018-11-01T05:00:00", 1, 0), event("2018-11-01T06:00:00", 2, 0, status="bad")])
    with pytest.raises(AirflowFailException) as caught:
        redshift.run(*DAY)
    first, remedies, second = str(caught.value).split("\n")
    source = f"s3://{redshift.bucket}/log_data/2018/11/2018-11-01-events.json"
    assert first.startswith(
        f"More than 0 rows of {source} were rejected: nothing of [2018-11-01 00:00, 2018-11-02 00:00)"
    )
    assert remedies.startswith("Correct the file and clear the task; operations.rejected_rows has")
    assert second.startswith(f"- {source} line 2, column status: Invalid digit")
    assert second.endswith("(error 1207)")
    assert redshift.tables() == before
    result = redshift.run(*DAY, tasks=["stage_events"], max_errors=1)
    assert (result["stage_events"]["rows"], result["stage_events"]["rejected"]) == (1, 1)


def test_an_event_with_an_implausible_time_is_rejected(redshift: Lab) -> None:
    """COPY accepts such a time."""
    micro = event("2018-11-01T06:00:00", 2, 0, ts=1_541_052_000_000_000)
    redshift.put_events(DAY[0], [event("2018-11-01T05:00:00", 1, 0), micro])
    redshift.run(*DAY, tasks=["create_tables"])
    with pytest.raises(AirflowFailException, match=r"More than 0 rows .*\n.*\n.*ts is 50803-"):
        redshift.run(*DAY, tasks=["stage_events"])
    result = redshift.run(*DAY, tasks=["stage_events"], max_errors=1)["stage_events"]
    assert (result["rows"], result["rejected"], result["strays"]) == (1, 1, 0)
    assert redshift.query("SELECT line_number, column_name, error_code FROM operations.rejected_rows") == [(0, "ts", 1)]


@pytest.mark.parametrize("limit", [pytest.param(99_999, marks=pytest.mark.slow), 3])
def test_an_invalid_song_is_quarantined_and_the_others_are_staged(
    redshift: Lab, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """Cover error counts above MAXERROR, which abort the transaction on Redshift."""
    monkeypatch.setattr("sparkify.staging.by_object.MAX_ERRORS", limit)
    fill(redshift, songs=2)
    redshift.put("song_data/A/A/A/bad.json", "invalid\n" * 1200)
    redshift.put_song("bad2", song("SO2", artist_id=None))
    results = redshift.run(*DAY)
    assert (results["stage_songs"]["rows"], results["stage_songs"]["quarantined"]) == (2, 2)
    assert redshift.counts()["songplays"] == 61
    names = redshift.query("SELECT DISTINCT file_name FROM operations.rejected_rows ORDER BY 1")
    assert names == [(f"s3://{redshift.bucket}/song_data/A/A/A/{name}.json",) for name in ("bad", "bad2")]
    copies = len(endpoint.statements("COPY"))
    redshift.put_song("bad2", song("SO2"))
    assert redshift.run(*DAY, tasks=["stage_songs"])["stage_songs"]["rows"] == 1
    assert len(endpoint.statements("COPY")) == copies + 2
    assert redshift.counts()["staging_songs"] == 3


def test_a_copy_that_did_not_start_reports_no_earlier_rows(redshift: Lab) -> None:
    redshift.put("bad.json", '{"n": "two"}')
    with connect("redshift", "aws") as warehouse:
        warehouse.transaction(lambda: warehouse.script("CREATE TABLE t (n INTEGER)"))
        for key, reason in (("bad", "line 1, column n"), ("absent", "does not exist in bucket")):
            with pytest.raises(WarehouseError, match=reason) as caught:
                warehouse.transaction(partial(warehouse.copy, "t", f"s3://{redshift.bucket}/{key}", [JSON]), lock=["t"])
        assert "line 1" not in str(caught.value)


def test_concurrent_runs_load_the_same_tables(redshift: Lab, expected: dict[str, Any]) -> None:
    fill(redshift)
    hours = [f"2018-11-01T{hour:02}:00" for hour in (0, 6, 12, 18)] + [DAY[1]]
    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(redshift.run, *hours[at : at + 2]) for at in (2, 0, 3, 1)]:
            future.result(timeout=120)
    assert redshift.tables() == expected


def test_a_lost_session_leaves_no_lock(redshift: Lab, endpoint: Endpoint) -> None:
    with connect("redshift") as warehouse:
        warehouse.transaction(lambda: warehouse.script("CREATE TABLE t (n INTEGER)"))
        endpoint.faults.append(Fault("INSERT", disconnection))
        with pytest.raises(Exception, match="BrokenPipe"):
            warehouse.transaction(lambda: warehouse.script("INSERT INTO t (n) VALUES (1)"), lock=["t"])
        with psycopg.connect(redshift.uri, options="-c lock_timeout=2000") as other:
            other.execute("LOCK t")
