"""What is reported of a run's results: at first, as a reminder, and when it has recovered."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sparkify.alerts.events import LateRun, TaskFailure
from sparkify.alerts.incidents import Changes, Incident, compare
from sparkify.interval import Interval
from sparkify.quality.result import CheckResult

if TYPE_CHECKING:
    from collections.abc import Iterable

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


class History:
    """A DAG's incidents over some runs; time passes with each of them."""

    def __init__(self) -> None:
        self.opened: dict[str, Incident] = {}
        self.now = NOW

    def run(
        self, number: int, *found: Event, evaluated: bool = True, reached: bool = True, after: timedelta = HOUR
    ) -> list[str]:
        """Process the results of the run of an hour; return what is reported, as words."""
        self.now += after
        changes = self.compare(number, *found, evaluated=evaluated)
        for key, incident in changes.to_save(reached, self.now).items():
            if incident:
                assert incident.key == key
                self.opened[key] = Incident.from_json(json.loads(json.dumps(incident.to_json())))
            else:
                del self.opened[key]
        return [f"{update.status} {update.incident.key}" for update in changes.updates]

    def compare(self, number: int, *found: Event, evaluated: bool = True, **how: Any) -> Changes:
        options = {
            "task_id": "data_quality" if evaluated else "stage_events",
            "interval": hour(number),
            "evaluated": evaluated,
            "now": self.now,
            "reminder": timedelta(hours=24),
        }
        return compare(self.opened, *split(found), **{**options, **how})


def split(found: Iterable[Event]) -> tuple[list[Event], set[str]]:
    """Return the failures, and the keys of what passed."""
    passed = {event.key for event in found if isinstance(event, CheckResult) and event.passed}
    return [event for event in found if event.key not in passed], passed


BAD, GOOD = result(), result(passed=True)
NAME = "songplays: no play is lost"


def test_a_failure_is_reported_once_and_its_recovery_once() -> None:
    history = History()
    assert history.run(0, GOOD) == []
    assert history.run(1, BAD) == [f"new {NAME}"]
    assert history.run(2, BAD) == []
    assert history.run(3, BAD) == []
    assert history.run(4, GOOD) == [f"recovered {NAME}"]
    assert history.run(5, GOOD) == []
    assert history.opened == {}


def test_a_failure_is_reported_again_as_a_reminder() -> None:
    history = History()
    reported = [history.run(number, BAD) for number in range(49)]
    assert [number for number, what in enumerate(reported) if what] == [0, 24, 48]
    assert (reported[0], reported[24]) == ([f"new {NAME}"], [f"ongoing {NAME}"])
    assert history.opened[NAME].since == NOW + HOUR


def test_the_message_is_one_for_a_run() -> None:
    history = History()
    assert history.run(0, BAD, result("another"), result("good", passed=True)) == [
        f"new {NAME}",
        "new songplays: another",
    ]
    changes = history.compare(1, BAD, result("third"), result("another", passed=True))
    assert [(update.status, update.incident.key) for update in changes.updates] == [
        ("new", "songplays: third"),
        ("recovered", "songplays: another"),
    ]
    assert [incident.key for incident in changes.already_reported] == [NAME]


def test_a_warning_that_becomes_an_error_is_reported() -> None:
    history = History()
    assert history.run(0, result(severity="warn")) == [f"new {NAME}"]
    assert history.run(1, BAD) == [f"ongoing {NAME}"]
    assert history.run(2, BAD) == []


def test_an_old_hour_that_passes_is_no_recovery() -> None:
    history = History()
    history.run(5, BAD)
    assert history.run(2, GOOD) == []
    assert history.run(6, GOOD) == [f"recovered {NAME}"]


def test_hours_that_failed_are_kept_until_they_pass() -> None:
    history = History()
    for number in (3, 4, 7):
        history.run(number, BAD)
    assert history.opened[NAME].failing == (hour(3, 2), hour(7))
    assert history.run(3, GOOD) == []
    assert history.opened[NAME].failing == (hour(4), hour(7))
    (update,) = history.compare(8, GOOD).updates
    assert update.left == (hour(4), hour(7))
    (update,) = history.compare(7, GOOD).updates
    assert update.left == (hour(4),)


def test_of_a_whole_table_no_hour_is_left() -> None:
    history = History()
    history.run(3, result(scope="table"))
    (update,) = history.compare(8, result(scope="table", passed=True)).updates
    assert update.left == ()


def test_a_task_has_recovered_when_the_checks_are_reached() -> None:
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


def test_the_incident_of_a_removed_check_is_deleted() -> None:
    history = History()
    history.run(0, BAD)
    assert history.run(1, result("another", passed=True)) == []
    assert history.opened == {}


def test_checks_of_another_task_are_left_alone() -> None:
    history = History()
    history.run(0, BAD)
    changes = history.compare(1, result("another", passed=True), task_id="audit")
    assert changes == Changes()


def test_what_was_not_delivered_is_reported_by_the_next_run() -> None:
    history = History()
    assert history.run(0, BAD, reached=False) == [f"new {NAME}"]
    assert history.run(1, BAD, reached=False) == [f"new {NAME}"]
    assert history.run(2, BAD) == [f"new {NAME}"]
    assert history.opened[NAME].since == NOW + HOUR
    assert history.run(3, GOOD, reached=False) == [f"recovered {NAME}"]
    assert history.run(4, GOOD) == [f"recovered {NAME}"]
    assert history.run(5, GOOD) == []


def test_the_recovery_of_an_unreported_incident_is_not_reported() -> None:
    history = History()
    history.run(0, BAD, reached=False)
    assert history.run(1, GOOD) == []
    assert history.opened == {}


def test_a_run_without_an_interval_is_reported() -> None:
    (update,) = History().compare(0, task(), interval=None, evaluated=False).updates
    assert update.incident.failing == ()


@pytest.mark.parametrize(
    ("event", "key"), [(result(), NAME), (task(), "task stage_events"), (LATE, "the run is on time")]
)
def test_each_type_of_event_opens_an_incident(event: Event, key: str) -> None:
    history = History()
    assert history.run(0, event, evaluated=False) == [f"new {key}"]
    assert history.opened[key].severity == "error"


def test_a_late_run_recovers_when_the_checks_are_reached_and_leaves_nothing_to_clear() -> None:
    history = History()
    history.run(3, LATE, evaluated=False)
    (update,) = history.compare(8, GOOD).updates
    assert (update.status, update.incident.key, update.left) == ("recovered", LATE.key, ())
