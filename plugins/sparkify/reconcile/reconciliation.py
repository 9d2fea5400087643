"""One pass of the reconciliation: list the source, compare it with the ledger, claim the differences to load."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from sparkify.interval import PERIODS, Interval
from sparkify.reconcile import checks, differences, listing, plan
from sparkify.reconcile.compare import compare

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sparkify.interval import Period
    from sparkify.quality.result import CheckResult
    from sparkify.reconcile.compare import Finding
    from sparkify.reconcile.differences import Ledger
    from sparkify.reconcile.plan import Difference, PlannedRun, RunState
    from sparkify.s3 import Bucket
    from sparkify.warehouse import Warehouse

log = logging.getLogger(__name__)

# The time that the schedule has to begin its own run of an hour that has ended.
GRACE = timedelta(minutes=2)
# The time to the next pass if something waits for an active run; and the maximum, as a run that is queued for later
# counts as active: an arriving object waits for it, and is to be loaded within five minutes.
AGAIN, LATEST_AGAIN = timedelta(minutes=1), timedelta(minutes=2)
# Scheduled runs load recent hours.
RECENT = timedelta(days=2)
# Logical dates or ids of a request to Airflow's API, which are part of its URL.
CHUNK = 200

T = TypeVar("T")


class TargetRuns(Protocol):
    """The runs of the DAG that loads the source."""

    def is_paused(self) -> bool:
        """Return whether the DAG is paused."""

    def count(
        self,
        *,
        run_ids: Sequence[str] | None = None,
        logical_dates: Sequence[datetime] | None = None,
        active: bool = False,
    ) -> int:
        """Return the number of runs with these ids, or logical dates, or all.

        :param active: count only queued and running ones.
        """


class Source(NamedTuple):
    """A source that is partitioned by time.

    :param table: its staging table.
    :param key: strftime pattern of the keys of a period's files.
    :param run_period: the period of a scheduled run.
    """

    table: str
    bucket: Bucket
    key: str
    file_period: Period
    run_period: Period


@dataclass
class PassResult:
    """What a pass has found.

    :param runs: the runs to trigger; they are recorded.
    :param again_at: when the next pass should be, without waiting for the schedule; None if the schedule suffices.
    :param checks: what to report.
    :param counts: for the log.
    """

    runs: Sequence[PlannedRun] = field(default_factory=list)
    again_at: datetime | None = None
    checks: list[CheckResult] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Reconciliation:
    """Compares a source with its ledger.

    :param since: from where on gaps are filled; None for the first staged period, and then only up to the last one.
    :param max_runs: maximum number of runs that a pass triggers.
    :param max_active_runs: maximum number of active runs of the target DAG.
    """

    warehouse: Warehouse
    source: Source
    target: TargetRuns
    since: datetime | None
    max_runs: int
    max_active_runs: int

    def run(self, now: datetime, started: datetime) -> PassResult:
        """Find the differences, record them, and return the runs to trigger.

        :param now: aware.
        :param started: when the run of this pass was started, before any of its retries; aware.
        """
        source, step = self.source, self.source.run_period
        ledger = differences.read(self.warehouse, source.table, source.file_period)
        if ledger is None:
            log.info("Nothing to compare with: the DAG that loads %s has not created its tables yet", source.table)
            return PassResult(again_at=_again_at([now], now) if self.since else None)
        periods = list(self._periods(ledger, now))
        listed = listing.versions(source.bucket, source.key, periods)
        due = _floor(now - GRACE, step)
        findings = self._findings(ledger, periods, listed, due)
        found = {start: plan.update(finding, ledger.differences.get(start), now) for start, finding in findings.items()}
        states = self._states({item.run_id for item in ledger.differences.values() if item.run_id})
        candidates = [
            _candidate(found[start], finding.load, ledger, states)
            for start, finding in findings.items()
            if finding.load
        ]
        ready = plan.runs(source.table, [item for item in candidates if item.ready_at and item.ready_at <= now], now)
        result = PassResult()
        if candidates and self.target.is_paused():
            log.warning("The DAG that loads %s is paused, nothing is triggered", source.table)
        else:
            result.runs = self._startable(ready, states, now)
            moments = [item.ready_at or now for item in candidates if not item.ready_at or item.ready_at > now]
            if len(result.runs) < len(ready):
                moments.append(now)
            # The schedule loads the hour that has just ended; what it has missed is due soon.
            if (hour := _floor(now, step)) > due and self._findings(ledger, periods, listed, hour) != findings:
                moments.append(hour + GRACE)
            result.again_at = _again_at(moments, now)
        for run in result.runs:
            found.update({item.start: item for item in run.differences})
        for start, item in ledger.differences.items():
            # Resolved, but its run still loads: later passes must know what an active run covers.
            if start not in found and item.run_id and states[item.run_id] == "active":
                found[start] = item
        if found != ledger.differences:
            differences.write(self.warehouse, source.table, ledger.differences, found)
        vanished = [item for item in found.values() if item.state == "vanished"]
        if new := [item for item in vanished if item.found_at >= started]:
            result.checks.append(checks.vanished(source.table, new, len(ledger.parts)))
        result.checks.append(checks.backlog(source.table, len(ready), self.max_runs))
        result.counts = {
            "periods": len(periods),
            "files_found": len(listed),
            "differences": len(findings),
            "vanished": len(vanished),
            "runs": len(result.runs),
            "waiting": len(ready) - len(result.runs),
        }
        return result

    def _periods(self, ledger: Ledger, now: datetime) -> Iterator[Interval]:
        """Yield the periods to compare: from the first to the last staged one, and from ``since`` to now."""
        bounds = [min(ledger.parts), max(ledger.parts) + PERIODS[self.source.file_period]] if ledger.parts else []
        if self.since and self.since < now:
            bounds += [self.since, now]
        return Interval(min(bounds), max(bounds)).periods(self.source.file_period) if bounds else iter(())

    def _findings(
        self, ledger: Ledger, periods: Iterable[Interval], listed: Mapping[datetime, str], due: datetime
    ) -> dict[datetime, Finding]:
        found: dict[datetime, Finding] = {}
        for period in periods:
            parts = ledger.parts.get(period.start, ())
            fill = self.since is None or self.since < period.end
            if finding := compare(period, listed.get(period.start), parts, due=due, fill=fill):
                found[period.start] = finding
        return found

    def _states(self, run_ids: set[str]) -> dict[str, RunState]:
        """Return the states of the runs that were triggered for differences."""
        states: dict[str, RunState] = dict.fromkeys(run_ids, "ended")
        if run_ids:
            active = self._count(run_ids=run_ids, active=True)
            absent = len(run_ids) - self._count(run_ids=run_ids)
            for run_id in run_ids if active or absent else ():
                if active and self._count(run_ids=[run_id], active=True):
                    states[run_id] = "active"
                elif absent and not self._count(run_ids=[run_id]):
                    states[run_id] = "absent"
        return states

    def _startable(
        self, ready: Sequence[PlannedRun], states: Mapping[str, RunState], now: datetime
    ) -> Sequence[PlannedRun]:
        """Return the runs to trigger now: within the limits, and beside no run that covers the same hours."""
        if not ready:
            return []
        ready = ready[: self.max_runs]
        active = self.target.count(active=True)
        others = active - sum(state == "active" for state in states.values())
        if others > 0:
            # Runs of the schedule and of backfills, which Airflow counts by logical date.
            hours = {run.run_id: _hours(run.interval) for run in ready}
            known = _hours(Interval(now - RECENT, now)).union(*hours.values())
            if self._count(logical_dates=known, active=True) < others:
                log.info(
                    "Runs wait, the interval of an active run is unknown: waiting=%d active=%d", len(ready), active
                )
                return []
            ready = [run for run in ready if not self._count(logical_dates=hours[run.run_id], active=True)]
        slots = max(0, self.max_active_runs - active)
        return ready[:slots]

    def _count(
        self, *, run_ids: Iterable[str] = (), logical_dates: Iterable[datetime] = (), active: bool = False
    ) -> int:
        """Count runs of the target by id or by logical date, in requests of a bounded size."""
        return sum(self.target.count(run_ids=part, active=active) for part in _chunks(run_ids)) + sum(
            self.target.count(logical_dates=part, active=active) for part in _chunks(logical_dates)
        )


def _candidate(
    difference: Difference, load: Interval, ledger: Ledger, states: Mapping[str, RunState]
) -> plan.Candidate:
    parts = ledger.parts.get(difference.start, ())
    return plan.candidate(
        difference,
        load,
        run=states[difference.run_id] if difference.run_id else "absent",
        changes=max((part.changes for part in parts), default=0),
        staged_at=max((part.staged_at for part in parts if part.staged_at), default=None),
    )


def _again_at(moments: Sequence[datetime], now: datetime) -> datetime | None:
    """Return when the next pass should be, as a whole minute; None if it can wait for the schedule.

    :param moments: when something can be loaded; now if it only waits for other runs.
    """
    if not moments:
        return None
    at = max(min(moments), now + AGAIN)
    if at > now + LATEST_AGAIN:
        return None
    minute = at.replace(second=0, microsecond=0)
    return minute if minute == at else minute + timedelta(minutes=1)


def _hours(interval: Interval) -> set[datetime]:
    """Return the logical dates of the hourly runs that may cover hours of an interval: a closing run covers its day."""
    return {hour.start for day in interval.periods("day") for hour in day.periods("hour")}


def _floor(moment: datetime, period: Period) -> datetime:
    return next(Interval(moment, moment + PERIODS[period]).periods(period)).start


def _chunks(items: Iterable[T]) -> Iterator[list[T]]:
    """Split items so that a request with some fits in a URL."""
    return iter(partial(lambda rest: list(islice(rest, CHUNK)), iter(items)), [])
