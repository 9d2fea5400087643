"""Tasks and runs side by side, under both of Redshift's isolation levels."""

from __future__ import annotations

import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings

from tests.integration.test_invariant import (
    CONTRADICTIONS,
    DAYS,
    History,
    Run,
    histories,
    processes,
    rejected,
    replay,
)
from tests.redshift import side_by_side
from tests.redshift.conftest import on_endpoint
from tests.redshift.isolation import Isolation
from tests.redshift.test_dag import on_postgres
from tests.support.data import event, song, source_fields
from tests.support.labs import EMPTY

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import ProcessPoolExecutor
    from pathlib import Path

    from sandbox.lab import Lab
    from tests.redshift.endpoint import Endpoint
    from tests.redshift.isolation import Level

__all__ = ["processes"]  # a fixture

pytestmark = pytest.mark.filterwarnings("ignore:ssl:DeprecationWarning")  # of redshift_connector

# A history takes dozens of runs, each with a session per task.
EXAMPLES = int(os.environ.get("ISOLATION_EXAMPLES", "1"))
LEVELS = pytest.mark.parametrize("level", ["SNAPSHOT", "SERIALIZABLE"])
DAY = ("2018-11-01", "2018-11-02")
HOURS = [f"2018-11-01T{hour:02}:00" for hour in range(10)]
EVENTS = [event(f"2018-11-01T{hour:02}:10:00", hour, 0, userId=str(hour % 3)) for hour in range(10)]
# Session 2 has moved from hour 2 to hour 7, and there is another event in hour 5.
NEWS = [event("2018-11-01T07:50:00", 2, 0, userId="2"), event("2018-11-01T05:20:00", 51, 0)]


@pytest.fixture(autouse=True)
def short_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limit the backoff between attempts to 100 ms."""
    sleep = time.sleep
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: sleep(min(seconds, 0.1)))


def fill(lab: Lab) -> None:
    """Write events and songs."""
    lab.put_events(DAY[0], EVENTS)
    for name in ("SO1", "SO2"):
        lab.put_song(name, song(name))


def add_news(lab: Lab) -> None:
    """Add a song and events, and move one to another hour."""
    lab.put_events(DAY[0], [item for item in EVENTS if item["sessionId"] != 2] + NEWS)
    lab.put_song("SO3", song("SO3"))


def test_which_tasks_may_conflict(redshift: Lab, endpoint: Endpoint) -> None:
    """docs/isolation.md has the same table."""
    endpoint.isolation = Isolation("SERIALIZABLE")
    fill(redshift)
    first = side_by_side.transactions(redshift, endpoint, HOURS[0], HOURS[4])
    add_news(redshift)
    later = side_by_side.transactions(redshift, endpoint, HOURS[1], HOURS[8], max_errors=9)
    in_one_run = set(side_by_side.unordered(redshift.dag))
    found = side_by_side.conflicts(first)
    assert {table for pair in in_one_run & found.keys() for table in found[pair]} == {
        "operations.loaded_changes",
        "operations.table_definitions",
    }
    found = side_by_side.conflicts(later)
    assert {pair: found[pair] for pair in in_one_run & found.keys()} == {
        ("stage_events", "stage_songs"): {"operations.source_fields"},
    }
    assert {pair: tables for pair, tables in found.items() if pair not in in_one_run} == {
        ("load_artists", "load_songplays"): {"operations.loaded_batches"},
        ("load_songplays", "load_songs"): {"operations.loaded_batches"},
    }
    assert side_by_side.deadlocks(later) == set()


@LEVELS
def test_runs_side_by_side_leave_the_tables_of_one_run(
    redshift: Lab, endpoint: Endpoint, make_lab: Callable[..., Lab], caplog: pytest.LogCaptureFixture, level: Level
) -> None:
    endpoint.isolation = Isolation(level)
    fill(redshift)
    assert side_by_side.run(redshift, HOURS[0], HOURS[4]) == 0
    add_news(redshift)
    with ThreadPoolExecutor(3) as pool:
        ranges = [(HOURS[1], HOURS[5]), (HOURS[5], HOURS[9]), (HOURS[0], HOURS[3])]
        for future in [pool.submit(side_by_side.run, redshift, *hours) for hours in ranges]:
            assert future.result(timeout=120) == 0  # each conflict was retried within its transaction
    attempts = [int(found) for found in re.findall(r"Serialization conflict.*\(attempt (\d) of 8\)", caplog.text)]
    assert max(attempts, default=1) <= 6
    if level == "SNAPSHOT":
        assert endpoint.isolation.conflicts == []

    def work(lab: Lab) -> None:
        fill(lab)
        add_news(lab)
        lab.run(HOURS[0], HOURS[9])

    assert redshift.tables() == on_postgres(make_lab, work)


@pytest.mark.slow
@LEVELS
def test_any_history_leaves_the_tables_of_a_single_run(
    endpoint: Endpoint,
    make_lab: Callable[..., Lab],
    certificate: Path,
    processes: ProcessPoolExecutor,
    level: Level,
) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        print_blob=True,
        phases=[phase for phase in Phase if phase is not Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(history=histories)
    def check(history: History) -> None:
        note(f"History: {history}")
        endpoint.isolation = Isolation(level)
        lab, expected = make_lab(EMPTY), make_lab()
        lab.environment = {**on_endpoint(lab, endpoint), "SSL_CERT_FILE": str(certificate)}
        replay(history, lab, processes)
        replay(History((), history.files, (Run(0, DAYS * 24),)), expected, processes)
        assert lab.tables() == expected.tables()
        # Redshift reports no values of rejected rows.
        assert [row[:-1] for row in rejected(lab)] == [row[:-1] for row in rejected(expected)]
        assert source_fields(lab) == source_fields(expected)
        assert {name: lab.one(count) for name, count in CONTRADICTIONS.items()} == dict.fromkeys(CONTRADICTIONS, 0)

    check()
