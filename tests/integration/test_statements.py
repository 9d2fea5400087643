"""The number of SQL statements per task, each of which is a round trip to Redshift.

Increase these numbers only deliberately.
"""

from __future__ import annotations

import shutil
from collections import Counter
from functools import wraps
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from sparkify.operators import DataQualityOperator
from tests.conftest import ROOT
from tests.support.data import event, song
from tests.unit.test_sql import DESIGN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandbox.lab import Lab

HOURS = [("2018-11-01T05:00:00Z", "2018-11-01T06:00:00Z"), ("2018-11-01T06:00:00Z", "2018-11-01T07:00:00Z")]
# An hour with an event that changes its user's level and a new song, on existing tables. Its day has ended, and another
# run has copied the file.
BUSY = {
    "create_tables": 2,
    "stage_events": 11,
    "stage_songs": 11,
    "load_songs": 7,
    "load_artists": 7,
    "load_songplays": 10,
    "load_users": 6,
    "load_time": 6,
    "load_users_history": 14,
    "load_events": 7,
    "load_sessions": 6,
    "load_daily_activity": 6,
    "load_daily_songs": 8,
    "load_monthly_songs": 9,
    "load_daily_users": 6,
    "load_hourly_plays": 6,
    "data_quality": 8,
}
# An hour without events and new songs.
QUIET = {
    "create_tables": 2,
    "stage_events": 11,
    "stage_songs": 2,
    "load_songs": 2,
    "load_artists": 2,
    "load_songplays": 2,
    "load_users": 2,
    "load_time": 2,
    "load_users_history": 2,
    "load_events": 2,
    "load_sessions": 2,
    "load_daily_activity": 2,
    "load_daily_songs": 2,
    "load_monthly_songs": 2,
    "load_daily_users": 2,
    "load_hourly_plays": 2,
    "data_quality": 8,
}

# Loads of an hour whose rows have not changed.
AGAIN = dict.fromkeys(("load_songplays", "load_users", "load_time", "load_events"), 5)

# The tables with checks. Those that a deployment adds, and its tasks, are not counted.
CHECKED = tuple(sorted(DESIGN))


@pytest.fixture
def count(lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, str], dict[str, int]]:
    """Return a function that runs all tasks for a range and returns the number of statements per task."""
    sent: Counter[str] = Counter()
    task = ""

    def counted(method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            sent[task] += 1
            return method(self, *args, **kwargs)

        return call

    for name in CHECKED:
        shutil.copy(ROOT / "include" / "checks" / f"{name}.yaml", tmp_path)
    for task_id in ("create_tables", "data_quality"):
        monkeypatch.setattr(lab.dag.get_task(task_id), "checks", str(tmp_path))
    monkeypatch.setattr(DataQualityOperator, "_loaded", lambda self, context: ["staging_events"])
    for name in ("execute", "executemany", "copy"):
        monkeypatch.setattr(psycopg.Cursor, name, counted(getattr(psycopg.Cursor, name)))

    def run(start: str, end: str) -> dict[str, int]:
        nonlocal task
        sent.clear()
        for task in [task_id for task_id in lab.dag.task_ids if task_id in BUSY]:
            lab.run(start, end, tasks=[task])
        return dict(sent)

    return run


@pytest.fixture
def first_hour(lab: Lab, count: Callable[[str, str], dict[str, int]]) -> None:
    """Create the tables and load one hour."""
    lab.put_events("2018-11-01", [event("2018-11-01T05:10:00Z", 1), event("2018-11-01T06:10:00Z", 2, level="paid")])
    lab.put_song("first", song("SO1"))
    count(*HOURS[0])


@pytest.mark.usefixtures("first_hour")
def test_statements_of_an_hour_with_new_data(lab: Lab, count: Callable[[str, str], dict[str, int]]) -> None:
    lab.put_song("second", song("SO2"))
    assert count(*HOURS[1]) == BUSY


@pytest.mark.usefixtures("first_hour")
def test_statements_of_an_hour_without_new_data(lab: Lab, count: Callable[[str, str], dict[str, int]]) -> None:
    assert count("2018-11-01T07:00:00Z", "2018-11-01T08:00:00Z") == QUIET


@pytest.mark.usefixtures("first_hour")
def test_statements_of_the_same_hour_again(count: Callable[[str, str], dict[str, int]]) -> None:
    """Facts and dimensions find out that nothing has changed, and neither drop candidates nor merge them."""
    again = count(*HOURS[0])
    assert {task: again[task] for task in AGAIN} == AGAIN


@pytest.mark.usefixtures("first_hour")
def test_statements_of_a_longer_range(lab: Lab, count: Callable[[str, str], dict[str, int]]) -> None:
    lab.put_song("second", song("SO2"))
    assert count("2018-11-01T06:00:00Z", "2018-11-01T18:00:00Z") == BUSY


@pytest.mark.usefixtures("first_hour")
def test_statements_of_a_reconciliation(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """One query where nothing differs; the claim of differences is one transaction, however many there are."""
    sent: list[str] = []
    execute = psycopg.Cursor.execute

    def recorded(self: Any, statement: Any, *arguments: Any, **named: Any) -> Any:
        sent.append(str(statement).strip())
        return execute(self, statement, *arguments, **named)

    monkeypatch.setattr(psycopg.Cursor, "execute", recorded)
    lab.run("2018-11-01T00:00:00Z", "2018-11-05T00:00:00Z")
    sent.clear()
    assert lab.reconcile_pass() == []
    assert len(sent) == 1
    assert "operations.staged_periods" in sent[0]
    assert "operations.source_differences" in sent[0]
    for day in (2, 4):
        lab.put_events(f"2018-11-0{day}", [event(f"2018-11-0{day}T05:10:00Z", day)])
        sent.clear()
        assert lab.reconcile_pass()
        # The query, LOCK, the check that nothing has changed since, DELETE and INSERT.
        assert len(sent) == 5
