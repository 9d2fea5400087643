"""Incidents: what is failing, since when, and who knows.

An incident opens with the first failure, is told then and again after a while, and closes with a run that is good. This
module decides; it neither reads nor sends anything.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from sparkify.interval import Interval, moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime, timedelta

    from sparkify.quality.outcome import Outcome, Scope, Severity

# Kinds of outcome that are no checks of data.
TASK, DEADLINE = "task", "deadline"


@dataclass(frozen=True)
class Incident:
    """Something that fails.

    :param table: the table of the check; of a failing task its id, of a late run its DAG's.
    :param check: what should be true.
    :param task_id: the task that saw it.
    :param since: when it was first seen; aware.
    :param told: when people were last told; None while they could not be.
    :param failing: the intervals of the runs that saw it and have not seen it good since: in order, disjoint.
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
        """What identifies it within its DAG."""
        return key(self)

    def saw(self, interval: Interval | None) -> bool:
        """Tell whether it is of a run of that interval, among others."""
        return any(interval and span.start <= interval.start and interval.end <= span.end for span in self.failing)

    def to_json(self) -> dict[str, Any]:
        """Return it as the Variable carries it."""
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
    """Return what identifies a check, a task or a deadline within its DAG."""
    if what.kind == TASK:
        return f"task {what.table}"
    return what.check if what.kind == DEADLINE else f"{what.table}: {what.check}"


@dataclass(frozen=True)
class Entry:
    """A thing to tell.

    :param status: ``new``; ``still`` failing, as a reminder; ``good`` again.
    :param incident: as it is after the run; of what is good, as it was.
    :param outcome: what the run saw of it; None where it saw nothing of the kind any more.
    :param left: of what is good: the intervals that failed and have not been good since.
    """

    status: Literal["new", "still", "good"]
    incident: Incident
    outcome: Outcome | None
    left: tuple[Interval, ...] = ()

    @property
    def title(self) -> str:
        """What it is about."""
        return self.incident.key


@dataclass
class Changes:
    """What a run changes.

    :param tell: what people should be told of.
    :param known: what they know and need not be told again now.
    :param silent: incidents to keep, by key, whoever is told; None to forget one.
    """

    tell: list[Entry] = field(default_factory=list)
    known: list[Incident] = field(default_factory=list)
    silent: dict[str, Incident | None] = field(default_factory=dict)

    def only(self, entries: list[Entry]) -> Changes:
        """Return the same with fewer things to tell."""
        return replace(self, tell=entries)

    def settle(self, delivered: bool, now: datetime) -> dict[str, Incident | None]:
        """Return the incidents to keep, by key; None to forget one.

        :param delivered: whether anybody was told. Else it is to be told next time.
        """
        kept: dict[str, Incident | None] = dict(self.silent)
        for entry in self.tell:
            if entry.status == "good":
                if delivered or entry.incident.told is None:  # who never heard of it need not hear of its end
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
    """Decide what to tell of a task's outcomes, and what to remember.

    :param opened: the open incidents of the DAG, by key.
    :param outcomes: what the task found, passed and failed.
    :param task_id: the task.
    :param interval: of its run.
    :param evaluated: whether it evaluated its checks. Then the tasks before it are good, and the run is there.
    :param now: aware.
    :param reminder: after which people are told again.
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
                changes.silent[name] = None  # the check is no more
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
    # An old hour that is good says nothing of a newer one.
    if left and interval and interval.end < left[-1].end:
        if left != incident.failing:
            changes.silent[incident.key] = replace(incident, failing=left)
        return
    if incident.kind == DEADLINE or incident.scope == "table":
        left = ()
    changes.tell.append(Entry("good", incident, outcome, left))


def united(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Return the intervals in order, those that touch or overlap as one."""
    merged: list[Interval] = []
    for span in sorted(intervals, key=lambda span: span.start):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Interval(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return tuple(merged)


def without(intervals: Sequence[Interval], gone: Interval) -> tuple[Interval, ...]:
    """Return what is left of disjoint intervals, without one."""
    left = []
    for span in intervals:
        if span.start < gone.start:
            left.append(Interval(span.start, min(span.end, gone.start)))
        if span.end > gone.end:
            left.append(Interval(max(span.start, gone.end), span.end))
    return tuple(left)
