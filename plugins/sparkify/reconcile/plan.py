"""Plan the runs that load differences: contiguous periods in one run, failing ones alone and with back-off. Pure."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple

from sparkify.interval import Interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sparkify.reconcile.compare import Finding, State

RunState = Literal["active", "ended", "absent"]

# Maximum number of periods of a run, so that a run takes minutes.
MAX_PERIODS = 1_000
# The time until a version that could not be loaded is tried again: doubled with each attempt.
RETRY, MAX_WAIT = timedelta(hours=1), timedelta(days=1)
# The time until a period that keeps changing is loaded again: doubled with each change.
UNSTABLE = timedelta(minutes=5)


class Difference(NamedTuple):
    """A row of operations.source_differences; times are aware.

    :param start: of the period.
    :param version: of its files.
    :param found_at: when this version was found.
    :param attempts: how often a run was triggered to load this version.
    :param run_id: the last run that was triggered to load the period; None if there was none.
    :param triggered_at: when it was triggered.
    """

    start: datetime
    state: State
    version: str
    found_at: datetime
    attempts: int = 0
    run_id: str | None = None
    triggered_at: datetime | None = None


class Candidate(NamedTuple):
    """An interval to load for a difference.

    :param ready_at: the moment from which it may be loaded; None while a run is loading it.
    """

    difference: Difference
    interval: Interval
    ready_at: datetime | None


class PlannedRun(NamedTuple):
    """A run to trigger.

    :param differences: what it loads, as recorded once it is triggered.
    """

    run_id: str
    interval: Interval
    differences: tuple[Difference, ...]


def update(finding: Finding, before: Difference | None, now: datetime) -> Difference:
    """Return the difference to record for a finding.

    :param before: the recorded one; None if there is none.
    """
    if before is None or (before.state == "vanished") != (finding.state == "vanished"):
        return Difference(finding.start, finding.state, finding.version, now)
    if before.version == finding.version:
        return before._replace(state=finding.state)
    # A new version is tried at once, but not beside a run that may be loading it.
    return before._replace(state=finding.state, version=finding.version, found_at=now, attempts=0)


def candidate(
    difference: Difference, load: Interval, *, run: RunState, changes: int, staged_at: datetime | None
) -> Candidate:
    """Return what to load for a difference, and from when on.

    :param load: the interval to load.
    :param run: the state of the difference's last run; ``absent`` if there is none, such as after a kill before it was
        triggered.
    :param changes: how often the period's files were changed and staged again, each time within a day.
    :param staged_at: when they were staged last; None if unknown.
    """
    if run == "active":
        return Candidate(difference, load, None)
    ready_at = difference.found_at
    if run == "absent":
        difference = difference._replace(attempts=max(0, difference.attempts - 1))
    elif difference.attempts and difference.triggered_at:
        # The files of a period that has not ended may have been corrected: their version is not recorded.
        ready_at = difference.triggered_at + _doubled(RETRY, difference.attempts - 1 if difference.version else 0)
    if changes and staged_at:
        ready_at = max(ready_at, staged_at + _doubled(UNSTABLE, changes))
    return Candidate(difference, load, ready_at)


def runs(table: str, ready: Iterable[Candidate], now: datetime) -> list[PlannedRun]:
    """Return the runs that load candidates: what is loaded for the first time before retries, oldest first.

    :param table: the staging table.
    """
    ordered = sorted(ready, key=lambda item: (bool(item.difference.attempts), item.interval.start))
    stretches: list[list[Candidate]] = []
    for item in ordered:
        last = stretches[-1] if stretches else None
        if (
            last
            and not item.difference.attempts
            and last[-1].interval.end == item.interval.start
            and len(last) < MAX_PERIODS
        ):
            last.append(item)
        else:
            stretches.append([item])
    return [_run(table, stretch, now) for stretch in stretches]


def _run(table: str, stretch: Sequence[Candidate], now: datetime) -> PlannedRun:
    interval = Interval(stretch[0].interval.start, stretch[-1].interval.end)
    tried = [item.difference._replace(attempts=item.difference.attempts + 1) for item in stretch]
    # The same for the same files, so that a run is not triggered twice after a kill.
    named = repr([(table, item.start.isoformat(), item.version, item.attempts) for item in tried])
    digest = hashlib.sha256(named.encode()).hexdigest()[:8]
    run_id = f"reconcile__{interval.start:%Y-%m-%dT%H:%M}_{interval.end:%Y-%m-%dT%H:%M}__{digest}"
    return PlannedRun(run_id, interval, tuple(item._replace(run_id=run_id, triggered_at=now) for item in tried))


def _doubled(wait: timedelta, times: int) -> timedelta:
    return min(wait * (1 << min(times, 30)), MAX_WAIT)
