"""Incidents: what is failing, since when, and whether it was reported.

An incident opens with the first failure, is reported then and again as a reminder, and closes when a run passes. This
module only decides; it neither reads nor sends anything.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from sparkify.alerts.events import LateRun, TaskFailure
from sparkify.interval import Interval, difference, moment, union
from sparkify.quality.result import CheckResult

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime, timedelta

    from sparkify.alerts.events import Event
    from sparkify.quality.result import Severity

Type = Literal["check", "task", "late_run"]


@dataclass(frozen=True)
class Incident:
    """A failing check or task, or late runs.

    :param key: the key of its events, which identifies it within the DAG.
    :param type: the type of its events.
    :param severity: the severity of the last event.
    :param rerun: whether the failing runs must be cleared: not if they were late, or if a whole table was checked.
    :param task_id: the task that detected it; empty if none did.
    :param since: when it was first detected; aware.
    :param reported_at: when it was last reported; None if no delivery has succeeded yet.
    :param failing: the intervals of the runs that failed and have not passed since: in order, disjoint.
    """

    key: str
    type: Type
    severity: Severity
    rerun: bool
    task_id: str
    since: datetime
    reported_at: datetime | None = None
    failing: tuple[Interval, ...] = ()

    def includes(self, interval: Interval | None) -> bool:
        """Return whether a run of that interval is among the failing ones."""
        return any(interval and span.contains(interval) for span in self.failing)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON for the Variable."""
        return {
            **asdict(self),
            "since": self.since.isoformat(),
            "reported_at": self.reported_at and self.reported_at.isoformat(),
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
                "failing": tuple(Interval.parse(*span) for span in values["failing"]),
            }
        )


@dataclass(frozen=True)
class IncidentUpdate:
    """A change of an incident, to be reported.

    :param status: ``new``; ``ongoing``, as a reminder or because its severity has changed; ``recovered``.
    :param incident: its state after the run; if recovered, its state before.
    :param event: what the run has detected; None if recovered.
    :param left: if recovered: the intervals that failed and have not passed since.
    """

    status: Literal["new", "ongoing", "recovered"]
    incident: Incident
    event: Event | None = None
    left: tuple[Interval, ...] = ()


@dataclass
class Changes:
    """The changes of incidents by a run.

    :param updates: the changes to report.
    :param already_reported: failing incidents that were reported before and are not due for a reminder.
    :param unreported: incidents to save without a report, by key; None to delete one.
    """

    updates: list[IncidentUpdate] = field(default_factory=list)
    already_reported: list[Incident] = field(default_factory=list)
    unreported: dict[str, Incident | None] = field(default_factory=dict)

    def to_save(self, delivered: bool, now: datetime) -> dict[str, Incident | None]:
        """Return the incidents to save, by key; None to delete one.

        :param delivered: whether a channel delivered the message. Otherwise the next run sends it again.
        """
        saved = dict(self.unreported)
        for update in self.updates:
            if update.status != "recovered":
                saved[update.incident.key] = replace(update.incident, reported_at=now) if delivered else update.incident
            elif delivered:
                saved[update.incident.key] = None
        return saved


def compare(
    opened: Mapping[str, Incident],
    events: Iterable[Event],
    passed: Collection[str],
    *,
    task_id: str,
    interval: Interval | None,
    evaluated: bool,
    now: datetime,
    reminder: timedelta,
) -> Changes:
    """Compare the results of a task with the open incidents: decide what to report, and which incidents to keep.

    :param opened: the open incidents of the DAG, by key.
    :param events: the task's failures.
    :param passed: the keys of what passed.
    :param task_id: the task.
    :param interval: of its run.
    :param evaluated: whether it evaluated its checks. Then its upstream tasks have succeeded, and the run is not late.
    :param now: aware.
    :param reminder: the time between reminders.
    """
    changes = Changes()
    failed = {event.key: event for event in events}
    for key, event in failed.items():
        _fail(changes, opened.get(key), event, task_id, interval, now, reminder)
    for key, incident in opened.items():
        if key in failed:
            continue
        if key in passed or (evaluated and incident.type != "check"):
            _pass(changes, incident, interval)
        elif evaluated and incident.task_id == task_id:
            changes.unreported[key] = None  # the check was removed
    return changes


def _fail(
    changes: Changes,
    before: Incident | None,
    event: Event,
    task_id: str,
    interval: Interval | None,
    now: datetime,
    reminder: timedelta,
) -> None:
    incident = Incident(
        event.key,
        _type(event),
        event.severity,
        rerun=not (isinstance(event, LateRun) or (isinstance(event, CheckResult) and event.scope == "table")),
        task_id=task_id,
        since=before.since if before else now,
        reported_at=before.reported_at if before else None,
        failing=union([*(before.failing if before else ()), *([interval] if interval else [])]),
    )
    if before is None or before.reported_at is None:
        changes.updates.append(IncidentUpdate("new", incident, event))
    elif before.severity != event.severity or now - before.reported_at >= reminder:
        changes.updates.append(IncidentUpdate("ongoing", incident, event))
    else:
        changes.already_reported.append(incident)
        if incident != before:
            changes.unreported[incident.key] = incident


def _pass(changes: Changes, incident: Incident, interval: Interval | None) -> None:
    left = difference(incident.failing, interval) if interval else incident.failing
    # An old hour that passes does not show that a newer one has recovered.
    if left and interval and interval.end < left[-1].end:
        if left != incident.failing:
            changes.unreported[incident.key] = replace(incident, failing=left)
    elif incident.reported_at is None:
        changes.unreported[incident.key] = None
    else:
        changes.updates.append(IncidentUpdate("recovered", incident, left=left if incident.rerun else ()))


def _type(event: Event) -> Type:
    match event:
        case CheckResult():
            return "check"
        case TaskFailure():
            return "task"
        case LateRun():
            return "late_run"
