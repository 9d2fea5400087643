"""Incidents: what is failing, since when, and whether it was reported.

An incident opens with the first failure, is reported then and again as a reminder, and closes when the same data has
passed. This module only decides; it neither reads nor sends anything.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from sparkify.alerts.events import LateRun, TaskFailure
from sparkify.interval import Interval, difference, moment, union
from sparkify.quality.result import CheckResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sparkify.alerts.events import Event
    from sparkify.quality.result import Severity

# A message that another task has not delivered by then is sent again; until then, it may be on its way.
RETRY = timedelta(minutes=5)

Type = Literal["check", "task", "late_run"]


@dataclass(frozen=True)
class Outcome:
    """What the end of a task, or a missed deadline, has shown.

    :param now: aware.
    :param interval: the interval of the run; None if it is unknown.
    :param events: the failures.
    :param passed: the keys of what passed.
    :param covered: the interval for which they passed: the run's, or more if the run has loaded more.
    :param task_id: the task that has ended; empty if none has.
    :param evaluated: whether the task evaluated its checks.
    """

    now: datetime
    interval: Interval | None
    events: tuple[Event, ...] = ()
    passed: frozenset[str] = frozenset()
    covered: Interval | None = None
    task_id: str = ""
    evaluated: bool = False


@dataclass(frozen=True)
class Incident:
    """A failing check or task, or late runs.

    :param key: the key of its events, which identifies it within the DAG.
    :param type: the type of its events.
    :param severity: the severity of the last event.
    :param by_interval: whether each failing interval must pass: not if a whole table was checked, or if the interval of
        the run is unknown.
    :param task_id: the task that detected it; empty if none did.
    :param since: when it was first detected; aware.
    :param reported_at: when it was last reported; None if no delivery has succeeded yet.
    :param failing: the intervals of the runs that failed and have not passed since: in order, disjoint.
    :param recovered_at: when it has recovered, which is still to be reported; None if it has not.
    :param problems: the keys of what has failed since, if the check has several: a further one is reported at once.
    """

    key: str
    type: Type
    severity: Severity
    by_interval: bool
    task_id: str
    since: datetime
    reported_at: datetime | None = None
    failing: tuple[Interval, ...] = ()
    recovered_at: datetime | None = None
    problems: tuple[str, ...] = ()

    def includes(self, interval: Interval | None) -> bool:
        """Return whether a run of that interval is among the failing ones."""
        if interval is None or not self.by_interval:
            return self.recovered_at is None
        return any(span.contains(interval) for span in self.failing)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON for the Variable."""
        return {
            **asdict(self),
            "since": self.since.isoformat(),
            "reported_at": self.reported_at and self.reported_at.isoformat(),
            "recovered_at": self.recovered_at and self.recovered_at.isoformat(),
            "failing": [[span.start.isoformat(), span.end.isoformat()] for span in self.failing],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Incident:
        """Read what :meth:`to_json` returned."""
        return cls(
            **{
                **values,
                "since": moment(values["since"]),
                "reported_at": moment(values["reported_at"]) if values["reported_at"] else None,
                "recovered_at": moment(values["recovered_at"]) if values["recovered_at"] else None,
                "failing": tuple(Interval.parse(*span) for span in values["failing"]),
                "problems": tuple(values.get("problems", ())),
            }
        )


@dataclass(frozen=True)
class IncidentUpdate:
    """The state of an incident, to be reported.

    :param status: ``new``; ``ongoing``, as a reminder; ``recovered``.
    :param event: what the run has detected; None if recovered, or if only runs of other intervals have failed.
    """

    status: Literal["new", "ongoing", "recovered"]
    incident: Incident
    event: Event | None = None


@dataclass
class Changes:
    """What to report after a task has ended.

    :param updates: the incidents to report.
    :param already_reported: failing incidents that were reported before and are not due for a reminder.
    """

    updates: list[IncidentUpdate] = field(default_factory=list)
    already_reported: list[Incident] = field(default_factory=list)


def apply(opened: Mapping[str, Incident], outcome: Outcome) -> dict[str, Incident]:
    """Return the incidents of a DAG, by key, after an outcome. Applying it again changes nothing.

    :param opened: the incidents before.
    """
    after = dict(opened)
    failed = {event.key: event for event in outcome.events}
    for key, event in failed.items():
        after[key] = _fail(opened.get(key), event, outcome)
    for key, incident in opened.items():
        if key in failed:
            continue
        if key in outcome.passed:
            passed = _pass(incident, outcome)
            if passed.recovered_at and incident.reported_at is None:
                del after[key]  # nobody knows of it
            else:
                after[key] = passed
        elif outcome.evaluated and incident.type == "check" and incident.task_id == outcome.task_id:
            del after[key]  # the check was removed
    return after


def compare(opened: Mapping[str, Incident], outcome: Outcome, reminder: timedelta) -> Changes:
    """Decide what to report.

    :param opened: the incidents after the outcome was applied.
    :param reminder: the time between reminders.
    """
    changes = Changes()
    events = {event.key: event for event in outcome.events}
    for key in [*events, *(key for key in opened if key not in events)]:
        incident, event = opened[key], events.get(key)
        if incident.recovered_at:
            if incident.recovered_at == outcome.now or outcome.now - incident.recovered_at >= RETRY:
                changes.updates.append(IncidentUpdate("recovered", incident))
        elif incident.reported_at is None:
            if event or outcome.now - incident.since >= RETRY:
                changes.updates.append(IncidentUpdate("new", incident, event))
        elif outcome.now - incident.reported_at >= reminder:
            changes.updates.append(IncidentUpdate("ongoing", incident, event))
        else:
            changes.already_reported.append(incident)
    return changes


def reported(opened: Mapping[str, Incident], changes: Changes, now: datetime) -> dict[str, Incident]:
    """Return the incidents of a DAG, by key, after a message was delivered. Applying it again changes nothing.

    :param opened: the incidents before.
    :param changes: what the message reported.
    :param now: aware.
    """
    after = dict(opened)
    for update in changes.updates:
        incident = opened.get(update.incident.key)
        if incident is None:
            if update.status == "new":
                # It has recovered while the message was on its way, so nobody knew of it then.
                after[update.incident.key] = replace(update.incident, failing=(), reported_at=now, recovered_at=now)
            continue
        if update.status == "recovered" and incident.recovered_at:
            del after[incident.key]
        elif update.status != "recovered":
            after[incident.key] = replace(incident, reported_at=max(now, incident.reported_at or now))
    return after


def _fail(before: Incident | None, event: Event, outcome: Outcome) -> Incident:
    failing = union([*(before.failing if before else ()), *([outcome.interval] if outcome.interval else [])])
    whole = isinstance(event, CheckResult) and event.scope == "table"
    known = before.problems if before else ()
    found = event.problems if isinstance(event, CheckResult) else []
    # A warning that becomes an error is reported at once, and so is a further problem.
    same = before is not None and before.severity == event.severity and {*found} <= {*known}
    return Incident(
        event.key,
        _type(event),
        event.severity,
        by_interval=bool(failing) and not whole,
        task_id=outcome.task_id,
        since=before.since if before else outcome.now,
        reported_at=before.reported_at if before and same else None,
        failing=failing,
        problems=tuple(dict.fromkeys([*known, *found])),
    )


def _pass(incident: Incident, outcome: Outcome) -> Incident:
    left = incident.failing
    if incident.by_interval:
        left = difference(left, outcome.covered) if outcome.covered else left
        if left:
            return replace(incident, failing=left)
    return replace(incident, failing=left, recovered_at=incident.recovered_at or outcome.now)


def _type(event: Event) -> Type:
    match event:
        case CheckResult():
            return "check"
        case TaskFailure():
            return "task"
        case LateRun():
            return "late_run"
