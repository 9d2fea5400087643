"""The file of a day that has ended is read once for its hours, in any order, and nothing is left behind."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from sparkify.staging.by_interval import IntervalStaging
from sparkify.warehouse.postgres.session import Postgres
from tests.support.data import event

if TYPE_CHECKING:
    from sandbox.lab import Lab

EVENTS = ["stage_events"]
DAY = ("2018-11-01T00:00", "2018-11-02T00:00")
HOURS = [(f"2018-11-01T{hour:02}:00", f"2018-11-01T{hour + 1:02}:00") for hour in range(23)] + [
    ("2018-11-01T23:00", "2018-11-02T00:00")
]
ROWS = "SELECT sessionid, ts, interval_time FROM staging_events ORDER BY ts, sessionid"
LANDINGS = "SELECT tablename FROM pg_tables WHERE tablename LIKE 'landed%'"


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The COPY statements of the test."""
    sent: list[str] = []
    copy = Postgres._copy

    def recorded(self: Postgres, command: str) -> Any:
        sent.append(command)
        return copy(self, command)

    monkeypatch.setattr(Postgres, "_copy", recorded)
    return sent


def put(lab: Lab, count: int = 24) -> None:
    """Write the file of the day, with an event in each hour and a stray."""
    items = [event(f"2018-11-01T{hour:02}:10", hour) for hour in range(count)]
    lab.put_events("2018-11-01", [*items, event("2018-11-02T05:10", 99)])


def stage(lab: Lab, *hours: tuple[str, str]) -> None:
    for hour in hours:
        lab.run(*hour, tasks=EVENTS)


def of_one_run(lab: Lab) -> list[Any]:
    """Return the rows that one run over the day stages."""
    stage(lab, DAY)
    return lab.query(ROWS)


def test_the_hours_of_a_day_read_its_file_once(lab: Lab, copies: list[str]) -> None:
    put(lab)
    stage(lab, *HOURS[:23])
    assert len(lab.query(LANDINGS)) == len(copies) == 1
    stage(lab, HOURS[23])
    assert len(copies) == 1
    assert lab.query(LANDINGS) == []
    rows = lab.query(ROWS)
    assert len(rows) == 25
    assert rows == of_one_run(lab)


def test_in_any_order_and_side_by_side_they_read_it_at_most_twice(lab: Lab, copies: list[str]) -> None:
    put(lab)
    hours = random.Random(7).sample(HOURS, k=24)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda hour: stage(lab, hour), hours))
    assert 1 <= len(copies) <= 2
    assert len(lab.query(LANDINGS)) <= 1  # until it is old
    rows = lab.query(ROWS)
    assert rows == of_one_run(lab)


def test_a_changed_file_is_read_again(lab: Lab, copies: list[str]) -> None:
    put(lab, 12)
    stage(lab, *HOURS[:12])
    put(lab)
    stage(lab, *HOURS[12:23])
    assert len(copies) == 2
    assert len(lab.query(LANDINGS)) == 1  # that of the former version is gone
    stage(lab, HOURS[23])
    assert len(copies) == 2
    assert lab.query(LANDINGS) == []
    rows = lab.query(ROWS)
    assert rows == of_one_run(lab)


def test_a_file_that_changes_while_it_is_read_is_not_shared(
    lab: Lab, copies: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A landing table named after a version would have the rows of another one."""
    put(lab, 12)
    copy = Postgres._copy

    def changing(self: Postgres, command: str) -> Any:
        if not copies:
            put(lab)
        return copy(self, command)

    monkeypatch.setattr(Postgres, "_copy", changing)
    stage(lab, HOURS[1])
    assert lab.query(LANDINGS) == []
    put(lab, 12)  # the version that was listed at first
    stage(lab, HOURS[20])
    assert [session for session, *_ in lab.query(ROWS)] == [1]
    assert len(copies) == 2


def test_files_with_rejected_rows_are_not_shared(lab: Lab, copies: list[str]) -> None:
    lab.put_events("2018-11-01", [event("2018-11-01T05:10", 1), event("2018-11-01T05:11", 2) | {"ts": None}])
    for hour in (5, 6):
        assert lab.run(*HOURS[hour], tasks=EVENTS, max_errors=1)["stage_events"]["rejected"] == 1
    assert len(copies) == 2
    assert lab.query(LANDINGS) == []
    assert lab.query("SELECT COUNT(*) FROM operations.rejected_rows") == [(1,)]


def test_a_run_without_its_landing_reads_the_file_itself(
    lab: Lab, copies: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run was the last one to need it meanwhile, and has dropped it."""
    put(lab)
    stage(lab, *HOURS[:22])
    replace = IntervalStaging._replace
    dropped: list[bool] = []

    def overtaken(self: IntervalStaging, *arguments: Any) -> Any:
        if not dropped:
            dropped.append(True)
            ((name,),) = lab.query(LANDINGS)
            self.table.warehouse.script(f"DROP TABLE operations.{name}")
        return replace(self, *arguments)

    monkeypatch.setattr(IntervalStaging, "_replace", overtaken)
    stage(lab, *HOURS[22:])
    assert len(copies) == 2
    assert lab.query(LANDINGS) == []  # the last hour has read and dropped the second one
    rows = lab.query(ROWS)
    assert rows == of_one_run(lab)


@pytest.mark.parametrize("later", [HOURS[3], DAY], ids=["by a run that creates one", "by a run that closes a day"])
def test_what_runs_have_left_is_dropped(lab: Lab, later: tuple[str, str]) -> None:
    put(lab)
    stage(lab, HOURS[0])
    ((left,),) = lab.query(LANDINGS)
    with psycopg.connect(lab.uri) as connection:
        connection.execute(f"COMMENT ON TABLE operations.{left} IS '2018-11-01T00:00:00'")
    lab.put_events("2018-11-03", [event("2018-11-03T05:10", 5)])
    stage(lab, tuple(moment.replace("11-02", "11-04").replace("11-01", "11-03") for moment in later))  # type: ignore[arg-type]
    names = [name for (name,) in lab.query(LANDINGS)]
    assert left not in names
    assert len(names) == (later != DAY)
    stage(lab, HOURS[1])  # it is read again if it is needed
    assert (left,) in lab.query(LANDINGS)
