"""What is told of what runs find: at first, as a reminder, and when it has recovered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkify.alerts.incidents import Changes, Incident, key, united, weigh, without
from sparkify.interval import Interval
from sparkify.quality.outcome import Outcome

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
START = datetime(2018, 11, 1, tzinfo=UTC)


def hour(number: int, length: int = 1) -> Interval:
    return Interval(START + number * HOUR, START + (number + length) * HOUR)


def outcome(check: str = "no play is lost", **values: Any) -> Outcome:
    defaults: dict[str, Any] = {
        "table": "songplays",
        "check": check,
        "kind": "unique",
        "severity": "error",
        "scope": "interval",
        "passed": False,
        "observed": "3",
        "expected": "0",
        "failing_rows": 3,
        "total_rows": 10,
        "sample": [],
        "why": "",
        "remedy": "",
        "seconds": 0.1,
    }
    return Outcome(**{**defaults, **values})


def task(name: str = "stage_events") -> Outcome:
    return outcome("task succeeds", table=name, kind="task")


class History:
    """A DAG's incidents over some runs; time passes as it is told."""

    def __init__(self) -> None:
        self.opened: dict[str, Incident] = {}
        self.now = NOW

    def run(
        self, number: int, *outcomes: Outcome, evaluated: bool = True, reached: bool = True, after: timedelta = HOUR
    ) -> list[str]:
        """Let the run of an hour find something; return what is told, as words."""
        self.now += after
        changes = self.weigh(number, *outcomes, evaluated=evaluated)
        for name, incident in changes.settle(reached, self.now).items():
            if incident:
                assert incident.key == name
                self.opened[name] = Incident.from_json(incident.to_json())
            else:
                del self.opened[name]
        return [f"{entry.status} {entry.title}" for entry in changes.tell]

    def weigh(self, number: int, *outcomes: Outcome, evaluated: bool = True) -> Changes:
        return weigh(
            self.opened,
            outcomes,
            task_id="data_quality" if evaluated else "stage_events",
            interval=hour(number),
            evaluated=evaluated,
            now=self.now,
            reminder=timedelta(hours=24),
        )


BAD, GOOD = outcome(), outcome(passed=True)
NAME = "songplays: no play is lost"


def test_a_failure_is_told_once_and_its_end_once() -> None:
    history = History()
    assert history.run(0, GOOD) == []
    assert history.run(1, BAD) == [f"new {NAME}"]
    assert history.run(2, BAD) == []
    assert history.run(3, BAD) == []
    assert history.run(4, GOOD) == [f"recovered {NAME}"]
    assert history.run(5, GOOD) == []
    assert history.opened == {}


def test_the_same_failure_is_told_again_after_the_reminder() -> None:
    history = History()
    told = [history.run(number, BAD) for number in range(49)]
    assert [number for number, what in enumerate(told) if what] == [0, 24, 48]
    assert (told[0], told[24]) == ([f"new {NAME}"], [f"still {NAME}"])
    assert history.opened[NAME].since == NOW + HOUR


def test_the_message_is_one_for_a_run() -> None:
    history = History()
    assert history.run(0, BAD, outcome("another"), outcome("good", passed=True)) == [
        f"new {NAME}",
        "new songplays: another",
    ]
    changes = history.weigh(1, BAD, outcome("third"), outcome("another", passed=True))
    assert [(entry.status, entry.incident.check) for entry in changes.tell] == [
        ("new", "third"),
        ("recovered", "another"),
    ]
    assert [incident.key for incident in changes.known] == [NAME]


def test_a_warning_that_becomes_an_error_is_told() -> None:
    history = History()
    assert history.run(0, outcome(severity="warn")) == [f"new {NAME}"]
    assert history.run(1, BAD) == [f"still {NAME}"]
    assert history.run(2, BAD) == []


def test_an_old_hour_that_is_good_does_not_end_it() -> None:
    history = History()
    history.run(5, BAD)
    assert history.run(2, GOOD) == []
    assert history.run(6, GOOD) == [f"recovered {NAME}"]


def test_hours_that_failed_are_remembered_until_they_are_good() -> None:
    history = History()
    for number in (3, 4, 7):
        history.run(number, BAD)
    assert history.opened[NAME].failing == (hour(3, 2), hour(7))
    assert history.run(3, GOOD) == []
    assert history.opened[NAME].failing == (hour(4), hour(7))
    (entry,) = history.weigh(8, GOOD).tell
    assert entry.left == (hour(4), hour(7))
    (entry,) = history.weigh(7, GOOD).tell
    assert entry.left == (hour(4),)


def test_of_a_whole_table_no_hour_is_left() -> None:
    history = History()
    history.run(3, outcome(scope="table"))
    (entry,) = history.weigh(8, outcome(scope="table", passed=True)).tell
    assert entry.left == ()


def test_a_task_is_good_again_when_the_checks_are_reached() -> None:
    history = History()
    assert history.run(0, task(), evaluated=False) == ["new task stage_events"]
    assert history.run(1, task(), evaluated=False) == []
    assert history.run(2, task("load_time"), evaluated=False) == ["new task load_time"]
    assert history.run(3, BAD) == [f"new {NAME}", "recovered task stage_events", "recovered task load_time"]
    assert history.opened.keys() == {NAME}


def test_a_check_that_was_not_reached_stays_as_it_is() -> None:
    history = History()
    history.run(0, BAD)
    assert history.run(1, task(), evaluated=False) == ["new task stage_events"]
    assert history.opened.keys() == {NAME, "task stage_events"}


def test_a_check_that_is_no_more_is_forgotten() -> None:
    history = History()
    history.run(0, BAD)
    assert history.run(1, outcome("another", passed=True)) == []
    assert history.opened == {}


def test_checks_of_another_task_are_left_alone() -> None:
    history = History()
    history.run(0, BAD)
    changes = weigh(
        history.opened,
        [outcome("another", passed=True)],
        task_id="audit",
        interval=hour(1),
        evaluated=True,
        now=NOW,
        reminder=HOUR,
    )
    assert changes == Changes()


def test_what_nobody_was_told_of_is_told_next_time() -> None:
    history = History()
    assert history.run(0, BAD, reached=False) == [f"new {NAME}"]
    assert history.run(1, BAD, reached=False) == [f"new {NAME}"]
    assert history.run(2, BAD) == [f"new {NAME}"]
    assert history.opened[NAME].since == NOW + HOUR
    assert history.run(3, GOOD, reached=False) == [f"recovered {NAME}"]
    assert history.run(4, GOOD) == [f"recovered {NAME}"]
    assert history.run(5, GOOD) == []


def test_an_end_is_forgotten_of_what_nobody_was_told() -> None:
    history = History()
    history.run(0, BAD, reached=False)
    history.run(1, GOOD, reached=False)
    assert history.opened == {}


def test_a_run_without_an_interval_is_told() -> None:
    changes = weigh({}, [task()], task_id="x", interval=None, evaluated=False, now=NOW, reminder=HOUR)
    (entry,) = changes.tell
    assert entry.incident.failing == ()


@pytest.mark.parametrize(
    ("what", "name"),
    [
        (outcome(), NAME),
        (task(), "task stage_events"),
        (outcome("the run is on time", table="sparkify_warehouse", kind="deadline"), "the run is on time"),
    ],
)
def test_keys_are_for_people(what: Outcome, name: str) -> None:
    assert key(what) == name


spans = st.builds(hour, st.integers(0, 30), st.integers(1, 5))


def hours(intervals: Any) -> set[int]:
    return {
        number
        for span in intervals
        for number in range(int((span.start - START) / HOUR), int((span.end - START) / HOUR))
    }


@given(st.lists(spans), spans)
def test_intervals_are_sets_of_hours(intervals: list[Interval], gone: Interval) -> None:
    found = united(intervals)
    assert hours(found) == hours(intervals)
    assert all(one.end < other.start for one, other in pairwise(found))
    left = without(found, gone)
    assert hours(left) == hours(found) - hours([gone])
    assert united(left) == left
