"""Incidents: what is failing, since when, and whether it was reported.

An incident opens with the first failure, is reported then and again as a reminder, and closes when a run passes. This
module only decides; it neither reads nor sends anything.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from sparkify.interval import Interval, moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime, timedelta

    from sparkify.quality.outcome import Outcome, Scope, Severity

# Kinds of outcome that are not data quality checks.
TASK, DEADLINE = "task", "deadline"


@dataclass(frozen=True)
class Incident:
    """A failing check or task, or a late run.

    :param table: the table of the check; for a failing task its id, for a late run its DAG's id.
    :param check: the name of the check.
    :param task_id: the task that detected it.
    :param since: when it was first detected; aware.
    :param told: when it was last reported; None if no delivery has succeeded yet.
    :param failing: the intervals of the runs that failed and have not passed since: in order, disjoint.
    """

    table: str
    check: str
    kind: str
    severity: Severity
    scope: Scope
    task_id: str
    since: datetime
    told: datetime | None = None
    failing: tuple[Interval, ...] = ()

    @property
    def key(self) -> str:
        """Its identifier within the DAG."""
        return key(self)

    def saw(self, interval: Interval | None) -> bool:
        """Return whether a run of that interval is among the failing ones."""
        return any(interval and span.start <= interval.start and interval.end <= span.end for span in self.failing)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON for the Variable."""
        return {
            **asdict(self),
            "since": self.since.isoformat(),
            "told": self.told and self.told.isoformat(),
            "failing": [[span.start.isoformat(), span.end.isoformat()] for span in self.failing],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Incident:
        """Read what :meth:`to_json` returned."""
        return cls(
            **{
                **values,
                "since": moment(values["since"]),
                "told": moment(values["told"]) if values["told"] else None,
                "failing": tuple(Interval.parse(*span) for span in values["failing"]),
            }
        )


def key(what: Outcome | Incident) -> str:
    """Return the identifier of a check, a task or a deadline within its DAG."""
    if what.kind == TASK:
        return f"task {what.table}"
    return what.check if what.kind == DEADLINE else f"{what.table}: {what.check}"


@dataclass(frozen=True)
class Entry:
    """An incident to report.

    :param status: ``new``; ``still`` failing, as a reminder; ``recovered``.
    :param incident: its state after the run; if recovered, its state before.
    :param outcome: its result in the run; None if the run did not evaluate it.
    :param left: if recovered: the intervals that failed and have not passed since.
    """

    status: Literal["new", "still", "recovered"]
    incident: Incident
    outcome: Outcome | None
    left: tuple[Interval, ...] = ()

    @property
    def title(self) -> str:
        """The title of the incident."""
        return self.incident.key


@dataclass
class Changes:
    """The changes of incidents by a run.

    :param tell: the incidents to report.
    :param known: open incidents that were reported before and are not due for a reminder.
    :param silent: incidents to keep without a report, by key; None to delete one.
    """

    tell: list[Entry] = field(default_factory=list)
    known: list[Incident] = field(default_factory=list)
    silent: dict[str, Incident | None] = field(default_factory=dict)

    def only(self, entries: list[Entry]) -> Changes:
        """Return the same changes with fewer incidents to report."""
        return replace(self, tell=entries)

    def settle(self, delivered: bool, now: datetime) -> dict[str, Incident | None]:
        """Return the incidents to keep, by key; None to delete one.

        :param delivered: whether a channel delivered the message. Otherwise the next run sends it again.
        """
        kept: dict[str, Incident | None] = dict(self.silent)
        for entry in self.tell:
            if entry.status == "recovered":
                if delivered or entry.incident.told is None:  # never reported, so its recovery is not reported either
                    kept[entry.incident.key] = None
            else:
                kept[entry.incident.key] = replace(entry.incident, told=now) if delivered else entry.incident
        return kept


def weigh(
    opened: Mapping[str, Incident],
    outcomes: Iterable[Outcome],
    *,
    task_id: str,
    interval: Interval | None,
    evaluated: bool,
    now: datetime,
    reminder: timedelta,
) -> Changes:
    """Decide which results of a task to report, and which incidents to keep.

    :param opened: the open incidents of the DAG, by key.
    :param outcomes: the results of the task, passed and failed.
    :param task_id: the task.
    :param interval: of its run.
    :param evaluated: whether it evaluated its checks. Then its upstream tasks have succeeded, and the run is not late.
    :param now: aware.
    :param reminder: the time between reminders.
    """
    changes = Changes()
    seen = {key(outcome): outcome for outcome in outcomes}
    for name, outcome in seen.items():
        if not outcome.passed:
            _fails(changes, opened.get(name), outcome, task_id, interval, now, reminder)
    for name, incident in opened.items():
        found = seen.get(name)
        if found is not None and found.passed:
            _passes(changes, incident, found, interval)
        elif found is None and evaluated:
            if incident.kind in (TASK, DEADLINE):
                _passes(changes, incident, None, interval)
            elif incident.task_id == task_id:
                changes.silent[name] = None  # the check was removed
    return changes


def _fails(
    changes: Changes,
    known: Incident | None,
    outcome: Outcome,
    task_id: str,
    interval: Interval | None,
    now: datetime,
    reminder: timedelta,
) -> None:
    failing = united([*(known.failing if known else ()), *([interval] if interval else [])])
    incident = Incident(
        outcome.table,
        outcome.check,
        outcome.kind,
        outcome.severity,
        outcome.scope,
        task_id,
        since=known.since if known else now,
        told=known.told if known else None,
        failing=failing,
    )
    if known is None or known.told is None:
        changes.tell.append(Entry("new", incident, outcome))
    elif known.severity != outcome.severity or now - known.told >= reminder:
        changes.tell.append(Entry("still", incident, outcome))
    else:
        changes.known.append(incident)
        if incident != known:
            changes.silent[incident.key] = incident


def _passes(changes: Changes, incident: Incident, outcome: Outcome | None, interval: Interval | None) -> None:
    left = without(incident.failing, interval) if interval else incident.failing
    # An old hour that passes does not show that a newer one has recovered.
    if left and interval and interval.end < left[-1].end:
        if left != incident.failing:
            changes.silent[incident.key] = replace(incident, failing=left)
        return
    if incident.kind == DEADLINE or incident.scope == "table":
        left = ()
    changes.tell.append(Entry("recovered", incident, outcome, left))


def united(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Return the intervals in order; adjacent and overlapping ones are merged."""
    merged: list[Interval] = []
    for span in sorted(intervals, key=lambda span: span.start):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Interval(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return tuple(merged)


def without(intervals: Sequence[Interval], gone: Interval) -> tuple[Interval, ...]:
    """Subtract an interval from disjoint intervals."""
    left = []
    for span in intervals:
        if span.start < gone.start:
            left.append(Interval(span.start, min(span.end, gone.start)))
        if span.end > gone.end:
            left.append(Interval(max(span.start, gone.end), span.end))
    return tuple(left)
