"""What is reported of a run's results: at first, as a reminder, and when it has recovered."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkify.alerts.events import LateRun, TaskFailure
from sparkify.alerts.incidents import Changes, Incident, Outcome, apply, compare, reported
from sparkify.interval import Interval
from sparkify.quality.result import CheckResult

if TYPE_CHECKING:
    from sparkify.alerts.events import Event

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
START = datetime(2018, 11, 1, tzinfo=UTC)


def hour(number: int, length: int = 1) -> Interval:
    return Interval(START + number * HOUR, START + (number + length) * HOUR)


def result(check: str = "no play is lost", **values: Any) -> CheckResult:
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
    return CheckResult(**{**defaults, **values})


def task(task_id: str = "stage_events") -> TaskFailure:
    return TaskFailure(task_id, 4, "COPY failed")


LATE = LateRun("running", NOW, 60)


REMINDER = timedelta(hours=24)


def outcome(number: int, *found: Event, now: datetime = NOW, evaluated: bool = True, **values: Any) -> Outcome:
    """Return what the run of an hour has shown; if it has evaluated its checks, its other tasks have succeeded."""
    passed = {event.key for event in found if isinstance(event, CheckResult) and event.passed}
    events = tuple(event for event in found if event.key not in passed)
    if evaluated:
        passed |= {"task stage_events", "task load_time", "task data_quality"} - {event.key for event in events}
    defaults: dict[str, Any] = {
        "passed": frozenset(passed),
        "interval": hour(number),
        "covered": hour(number),
        "task_id": "data_quality" if evaluated else "stage_events",
    }
    return Outcome(now, events=events, evaluated=evaluated, **{**defaults, **values})


class History:
    """A DAG's incidents over some runs; time passes with each of them."""

    def __init__(self) -> None:
        self.opened: dict[str, Incident] = {}
        self.now = NOW

    def run(
        self, number: int, *found: Event, delivered: bool = True, after: timedelta = HOUR, **values: Any
    ) -> list[str]:
        """Process the results of the run of an hour; return what is reported, as words."""
        self.now += after
        changes = self.process(outcome(number, *found, now=self.now, **values))
        if delivered:
            self.opened = reported(self.opened, changes, self.now)
            assert reported(self.opened, changes, self.now) == self.opened
        return [f"{update.status} {update.incident.key}" for update in changes.updates]

    def process(self, what: Outcome) -> Changes:
        after = apply(self.opened, what)
        assert apply(after, what) == after
        self.opened = {key: Incident.from_json(json.loads(json.dumps(item.to_json()))) for key, item in after.items()}
        assert self.opened == after
        return compare(self.opened, what, REMINDER)


BAD, GOOD = result(), result(passed=True)
NAME = "songplays: no play is lost"


def test_a_failure_is_reported_once_and_its_recovery_once() -> None:
    history = History()
    assert history.run(0, GOOD) == []
    assert history.run(1, BAD) == [f"new {NAME}"]
    assert history.run(1, BAD) == []
    assert history.run(1, GOOD) == [f"recovered {NAME}"]
    assert history.run(1, GOOD) == []
    assert history.opened == {}


def test_another_hour_that_passes_is_no_recovery() -> None:
    history = History()
    history.run(5, BAD)
    assert history.run(2, GOOD) == []
    assert history.run(6, GOOD) == []
    assert history.run(5, GOOD) == [f"recovered {NAME}"]


def test_each_failing_hour_must_pass() -> None:
    history = History()
    for number in (3, 4, 7):
        history.run(number, BAD)
    assert history.opened[NAME].failing == (hour(3, 2), hour(7))
    assert history.run(3, GOOD) == []
    assert history.opened[NAME].failing == (hour(4), hour(7))
    assert history.run(7, GOOD) == []
    assert history.run(4, GOOD) == [f"recovered {NAME}"]


def test_the_run_of_a_longer_interval_covers_its_hours() -> None:
    """The run that closes a day has loaded and checked the whole day."""
    history = History()
    for number in (3, 7):
        history.run(number, BAD)
    assert history.run(23, GOOD, covered=hour(0, 24)) == [f"recovered {NAME}"]


@given(st.data())
def test_an_incident_is_open_exactly_while_an_hour_has_failed_and_not_passed_since(data: st.DataObject) -> None:
    history = History()
    failing: set[int] = set()
    for _ in range(data.draw(st.integers(0, 12))):
        first, length, bad = data.draw(st.tuples(st.integers(0, 5), st.integers(1, 3), st.booleans()))
        hours = set(range(first, first + length))
        before, failing = failing, failing | hours if bad else failing - hours
        interval = hour(first, length)
        sent = history.run(first, BAD if bad else GOOD, interval=interval, covered=interval)
        expected = ["new"] * (not before and bool(failing)) + ["recovered"] * (bool(before) and not failing)
        assert sent == [f"{status} {NAME}" for status in expected]
        assert history.opened.keys() == ({NAME} if failing else set())


def test_a_check_of_a_whole_table_recovers_with_any_run() -> None:
    history = History()
    history.run(3, result(scope="table"))
    assert history.run(8, result(scope="table", passed=True)) == [f"recovered {NAME}"]


def test_a_failure_is_reported_again_as_a_reminder() -> None:
    history = History()
    sent = [history.run(number, BAD) for number in range(49)]
    assert [number for number, what in enumerate(sent) if what] == [0, 24, 48]
    assert (sent[0], sent[24]) == ([f"new {NAME}"], [f"ongoing {NAME}"])
    assert history.opened[NAME].since == NOW + HOUR


def test_an_hour_that_nobody_repairs_is_a_reminder_once_a_day() -> None:
    history = History()
    sent = [history.run(number, GOOD if number else BAD) for number in range(49)]
    assert [number for number, what in enumerate(sent) if what] == [0, 24, 48]
    assert sent[24] == sent[48] == [f"ongoing {NAME}"]
    assert history.opened[NAME].failing == (hour(0),)


def test_the_message_is_one_for_a_run() -> None:
    history = History()
    assert history.run(0, BAD, result("another"), result("good", passed=True)) == [
        f"new {NAME}",
        "new songplays: another",
    ]
    changes = history.process(outcome(0, BAD, result("third"), result("another", passed=True)))
    assert [(update.status, update.incident.key) for update in changes.updates] == [
        ("new", "songplays: third"),
        ("recovered", "songplays: another"),
    ]
    assert [incident.key for incident in changes.already_reported] == [NAME]


def test_a_warning_that_becomes_an_error_is_reported() -> None:
    history = History()
    assert history.run(0, result(severity="warn")) == [f"new {NAME}"]
    assert history.run(1, BAD) == [f"new {NAME}"]
    assert history.run(2, BAD) == []


def test_a_further_problem_of_a_failing_check_is_reported_once() -> None:
    history = History()
    assert history.run(0, result(problems=["a: new"])) == [f"new {NAME}"]
    assert history.run(0, result(problems=["a: new"])) == []
    assert history.run(1, result(problems=["a: new", "b: missing"])) == [f"new {NAME}"]
    assert history.run(2, result(problems=["b: missing"])) == []
    assert history.run(3, result(problems=["a: new", "b: missing"])) == []
    assert history.opened[NAME].problems == ("a: new", "b: missing")
    assert [history.run(number, GOOD) for number in range(4)] == [[], [], [], [f"recovered {NAME}"]]
    assert history.run(4, result(problems=["a: new"])) == [f"new {NAME}"]


def test_an_incident_of_an_earlier_version_has_no_problems() -> None:
    incident = Incident("k", "check", "warn", True, "data_quality", NOW, NOW)
    stored = incident.to_json()
    del stored["problems"]
    assert Incident.from_json(stored) == incident


def test_a_task_has_recovered_when_the_checks_of_its_hour_are_reached() -> None:
    history = History()
    assert history.run(0, task(), evaluated=False) == ["new task stage_events"]
    assert history.run(0, task("load_time"), evaluated=False) == ["new task load_time"]
    assert history.run(1, GOOD) == []
    assert history.run(0, BAD) == [f"new {NAME}", "recovered task stage_events", "recovered task load_time"]
    assert history.opened.keys() == {NAME}


def test_a_check_that_was_not_reached_stays_as_it_is() -> None:
    history = History()
    history.run(0, BAD)
    assert history.run(1, task(), evaluated=False) == ["new task stage_events"]
    assert history.opened.keys() == {NAME, "task stage_events"}


def test_the_incident_of_a_removed_check_is_deleted() -> None:
    history = History()
    history.run(0, BAD)
    assert history.run(1, result("another", passed=True)) == []
    assert history.opened == {}


def test_checks_of_another_task_are_left_alone() -> None:
    history = History()
    history.run(0, BAD)
    before = history.opened
    assert history.process(outcome(0, result("another", passed=True), task_id="audit")).updates == []
    assert history.opened == before


def test_what_was_not_delivered_is_reported_by_the_next_run() -> None:
    history = History()
    assert history.run(0, BAD, delivered=False) == [f"new {NAME}"]
    assert history.run(1, GOOD, delivered=False) == [f"new {NAME}"]
    assert history.run(2, GOOD) == [f"new {NAME}"]
    assert history.opened[NAME].since == NOW + HOUR
    assert history.run(0, GOOD, delivered=False) == [f"recovered {NAME}"]
    assert history.run(4, GOOD) == [f"recovered {NAME}"]
    assert history.run(5, GOOD) == []


def test_a_message_that_another_task_is_sending_is_not_sent_again() -> None:
    """The task after the checks ends while their message is on its way."""
    soon = timedelta(seconds=2)
    history = History()
    history.run(0, BAD, delivered=False)
    assert history.run(1, GOOD, after=soon) == []
    assert history.run(0, BAD, after=HOUR) == [f"new {NAME}"]
    assert history.run(0, GOOD, delivered=False) == [f"recovered {NAME}"]
    assert history.run(0, GOOD, after=soon) == []
    assert history.run(0, GOOD) == [f"recovered {NAME}"]


def test_the_recovery_of_an_unreported_incident_is_not_reported() -> None:
    history = History()
    history.run(0, BAD, delivered=False)
    assert history.run(0, GOOD) == []
    assert history.opened == {}


def test_a_failure_during_an_unreported_recovery_continues_the_incident() -> None:
    history = History()
    history.run(0, BAD)
    history.run(0, GOOD, delivered=False)
    assert history.run(1, BAD) == []
    assert history.opened[NAME].failing == (hour(1),)
    assert history.run(1, GOOD) == [f"recovered {NAME}"]


def test_a_run_without_an_interval_is_reported_and_recovers_with_any_run() -> None:
    history = History()
    assert history.run(0, task(), interval=None, evaluated=False) == ["new task stage_events"]
    assert history.run(3, GOOD) == ["recovered task stage_events"]


@pytest.mark.parametrize(("event", "key"), [(result(), NAME), (task(), "task stage_events"), (LATE, "late run")])
def test_each_type_of_event_opens_an_incident(event: Event, key: str) -> None:
    history = History()
    assert history.run(0, event, evaluated=False) == [f"new {key}"]
    assert history.opened[key].severity == "error"


def test_a_late_run_recovers_when_it_has_ended() -> None:
    history = History()
    history.run(3, LATE, evaluated=False)
    assert history.run(8, GOOD) == []
    assert history.run(3, GOOD) == []  # its last task has not ended yet
    ended = frozenset({LATE.key})
    assert history.run(8, passed=ended, evaluated=False) == []
    assert history.run(3, passed=ended, evaluated=False) == [f"recovered {LATE.key}"]
