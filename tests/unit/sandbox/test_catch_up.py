"""Catch-up: the missing hours, the triggered runs, and the cost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import airflow
from sandbox.api import PAGE
from sandbox.catch_up import HOUR, CatchUp, last_full, missing
from sparkify.interval import Interval
from tests.support.airflow_api import FakeApi

START = datetime(2026, 11, 20, tzinfo=UTC)


def at(hour: int) -> datetime:
    return START + hour * HOUR


spans = st.tuples(st.integers(-5, 40), st.integers(1, 20))


@given(st.lists(spans, max_size=8), st.integers(-3, 36))
def test_the_gaps_are_the_hours_that_no_run_covers(runs: list[tuple[int, int]], length: int) -> None:
    covered = {hour for first, hours in runs for hour in range(first, first + hours)}
    gaps = missing([Interval(at(first), at(first + hours)) for first, hours in runs], START, at(length))
    assert [at(hour) for hour in range(length) if hour not in covered] == [
        start + number * HOUR for start, end in gaps for number in range((end - start) // HOUR)
    ]
    assert all(start < end for start, end in gaps)
    assert all(one[1] < other[0] for one, other in pairwise(gaps))  # one run for adjacent hours


def test_partial_hours_are_gaps() -> None:
    half = timedelta(minutes=30)
    assert missing([Interval(at(0), at(1) + half)], START, at(3)) == [(at(1) + half, at(3))]


def test_the_last_full_hour() -> None:
    assert last_full(at(3) + timedelta(minutes=59, seconds=59, microseconds=999_999)) == at(3)
    assert last_full(at(3)) == at(3)


class Subject(NamedTuple):
    """A catch-up, the API that it calls and the lines that it reports.

    :param lines: the reported lines.
    """

    api: FakeApi
    catch_up: CatchUp
    lines: list[str]


@pytest.fixture
def subject() -> Subject:
    api, lines = FakeApi(), list[str]()
    return Subject(api, CatchUp(api.client(), START.date(), lines.append), lines)


def test_all_but_the_last_full_hour_is_loaded_by_one_run(subject: Subject) -> None:
    api, catch_up, _ = subject
    assert catch_up.advance(at(6) + timedelta(minutes=10)) == [(START, at(5))]
    assert api.triggered() == [("20T00", "20T05")]  # the last full hour is the schedule's
    assert api.runs[0]["dag_run_id"] == "catch_up__2026-11-20T00:00_2026-11-20T05:00"
    assert api.paused == {airflow.DAG_ID: False, airflow.REPORT_ID: False, airflow.AUDIT_ID: True}
    assert catch_up.loaded is False
    assert catch_up.advance(at(6) + timedelta(minutes=11)) == []


def test_a_pause_of_the_machine_is_caught_up(subject: Subject) -> None:
    api, catch_up, _ = subject
    catch_up.advance(at(6))
    api.add(at(5))  # the schedule's run, the sleep, and the schedule again
    api.add(at(9))
    assert catch_up.advance(at(10) + timedelta(minutes=5)) == [(at(6), at(9))]
    assert catch_up.loaded is True
    assert api.paused[airflow.AUDIT_ID] is False


def test_a_run_covers_its_hours_whatever_its_state(subject: Subject) -> None:
    api, catch_up, _ = subject
    api.paused[airflow.DAG_ID] = False
    api.add(None, conf={"start": START.isoformat(), "end": at(3).isoformat()}, state="queued")
    api.add(at(4), state="failed")
    api.add(at(6), at(9), state="running", conf={})
    assert catch_up.advance(at(8)) == [(at(3), at(4)), (at(5), at(6))]


def test_the_hours_of_a_deleted_run_are_loaded_again(subject: Subject) -> None:
    api, catch_up, _ = subject
    assert catch_up.advance(at(6)) == [(START, at(5))]
    api.add(at(5))
    assert catch_up.advance(at(7)) == []
    del api.runs[0]
    api.add(at(6))  # as many as before
    assert catch_up.advance(at(8)) == [(START, at(5))]


def test_a_run_without_a_valid_interval_covers_nothing_and_is_reported_once(subject: Subject) -> None:
    api, catch_up, lines = subject
    api.paused[airflow.DAG_ID] = False
    api.add(None, state="failed", conf={"start": "nonsense"})
    api.add(None, state="failed", conf={"start": "0001-01-01T00:00:00+14:00", "end": "9999-12-31T23:00:00-14:00"})
    for _ in range(2):
        assert catch_up.advance(at(6)) == [(START, at(5))]
        del api.runs[2:]  # the runs are read again
    skipped = "Skipped the run 'run-1' of sparkify_warehouse, invalid interval: "
    assert sum(line.startswith(skipped) for line in lines) == 1


def test_a_rejected_run_does_not_prevent_the_others(subject: Subject) -> None:
    """A user has made a run of that name, which loads other hours."""
    api, catch_up, lines = subject
    api.paused[airflow.DAG_ID] = False
    api.add(at(3))
    api.rejected.add("catch_up__2026-11-20T00:00_2026-11-20T03:00")
    assert catch_up.advance(at(7)) == [(at(4), at(6))]
    catch_up.advance(at(7))
    assert sum("triggering one failed" in line for line in lines) == 1


def test_a_dag_that_a_user_paused_stays_paused(subject: Subject) -> None:
    api, catch_up, _ = subject
    api.add(START)
    assert catch_up.advance(at(6)) == []
    assert api.paused[airflow.DAG_ID] is True
    api.paused[airflow.REPORT_ID] = True  # after it was unpaused, before its first run
    catch_up.advance(at(7))
    assert api.paused[airflow.REPORT_ID] is True
    assert api.triggered() == []


def test_a_dag_that_is_not_parsed_yet_is_waited_for(subject: Subject) -> None:
    api, catch_up, _ = subject
    paused = dict(api.paused)
    api.paused.clear()
    assert catch_up.advance(at(6)) is None
    assert {request.split()[0] for request in api.requests} == {"GET"}
    api.paused = paused
    assert catch_up.advance(at(6)) == [(START, at(5))]


def test_the_cost_does_not_depend_on_the_history(subject: Subject) -> None:
    api, catch_up, _ = subject
    api.paused[airflow.DAG_ID] = False
    for hour in range(3 * PAGE):
        api.add(at(hour))
    catch_up.advance(at(3 * PAGE + 1))
    read = f"GET /api/v2/dags/{airflow.DAG_ID}/dagRuns"
    assert api.requests.count(read) > 3
    # Without a new run: the latest one. An hour later: the latest, and a page with the new one.
    for later, reads in ((0, 1), (1, 2)):
        api.requests.clear()
        if later:
            api.add(at(3 * PAGE))
        catch_up.advance(at(3 * PAGE + 1 + later))
        assert api.requests == [read] * reads
    assert api.triggered() == []
