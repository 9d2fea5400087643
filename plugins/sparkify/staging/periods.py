"""The ledger of periods: which version of a period's files each part of it was staged from.

A source that is partitioned by time has files of a period, such as a day. A run stages a part of the period, such as an
hour, and records the version of the files that it has read. A period is up to date if its parts cover it with the
version that the bucket has now, and are loaded.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from sparkify.interval import EARLIEST, PERIODS, Interval, difference
from sparkify.sql import predicates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sparkify.interval import Period
    from sparkify.s3 import S3Object
    from sparkify.warehouse import Warehouse

TABLE = "operations.staged_periods"

# Files of this part of their former size, or less, are reported: their upload may be incomplete.
SHRUNK = 0.5
# Versions that are staged within this time of each other count as changes of an unstable source.
CHANGES_WITHIN = timedelta(days=1)

_TICK = timedelta(microseconds=1)


class PeriodFiles(NamedTuple):
    """The files of a period, as they are in the bucket.

    :param version: changes with any of them.
    :param size_bytes: of all of them.
    """

    version: str
    objects: int
    size_bytes: int

    @classmethod
    def of(cls, objects: Sequence[S3Object]) -> PeriodFiles:
        """Return the files of a period; several runs that list the same objects get the same version."""
        version = hashlib.sha256(repr(list(objects)).encode()).hexdigest()
        return cls(version, len(objects), sum(item.size or 0 for item in objects))


# The version of a period without files.
EMPTY = PeriodFiles.of([]).version


class StagedPart(NamedTuple):
    """A part of a period, and the version of the period's files that its rows come from.

    :param objects: number of the period's files; None if unknown.
    :param size_bytes: size of the period's files; None if unknown.
    :param shrunk_from: their size in the version before, if they have shrunk since; None if not.
    :param staged_at: aware; None if unknown.
    :param changes: how often the files were changed and staged again after the period had ended.
    :param loading_run: the run that has staged the part and has not loaded it yet; None once it is loaded.
    """

    interval: Interval
    version: str
    objects: int | None = None
    size_bytes: int | None = None
    shrunk_from: int | None = None
    staged_at: datetime | None = None
    changes: int = 0
    loading_run: str | None = None


def read(
    warehouse: Warehouse, table: str, interval: Interval, period: Period, *numbers: str
) -> tuple[dict[datetime, list[StagedPart]], list[int]]:
    """Return the staged parts of the periods that overlap an interval, by the start of the period.

    :param numbers: further scalar subqueries, to save a round trip each.
    :return: the parts, and the values of the subqueries; no values if there are no parts.
    """
    starts = [item.start for item in interval.periods(period)]
    rows = warehouse.query(
        "SELECT period_start, version, part_start, part_end, objects, size_bytes, shrunk_from, staged_at, changes, "
        f"loading_run{''.join(f', {number}' for number in numbers)} FROM {TABLE} WHERE table_name = '{table}' "
        f"AND period_start >= {predicates.literal(starts[0])} AND period_start <= {predicates.literal(starts[-1])}"
    )
    parts: dict[datetime, list[StagedPart]] = {}
    for start, version, part_start, part_end, objects, size_bytes, shrunk_from, staged_at, changes, run, *_ in rows:
        begin = start.replace(tzinfo=UTC)
        part = (
            Interval(part_start.replace(tzinfo=UTC), part_end.replace(tzinfo=UTC))
            if part_start
            else Interval(begin, begin + PERIODS[period])
        )
        staged_at = staged_at and staged_at.replace(tzinfo=UTC)
        parts.setdefault(begin, []).append(
            StagedPart(part, version, objects, size_bytes, shrunk_from, staged_at, changes, run)
        )
    return parts, list(rows[0][-len(numbers) :]) if rows and numbers else []


def latest(parts: Sequence[StagedPart]) -> StagedPart | None:
    """Return the part that was staged last; None if there is none."""
    return max(parts, key=lambda part: (part.staged_at is not None, part.staged_at), default=None)


def staged(
    parts: Sequence[StagedPart], files: PeriodFiles, part: Interval, period: Interval, *, run_id: str, now: datetime
) -> list[StagedPart]:
    """Return the parts of a period after a run has staged one of them.

    :param parts: the parts before.
    :param files: the files that the run has read.
    :param part: the part of the period that it has staged.
    :param run_id: the run, which loads the part later.
    :param now: aware.
    """
    before = latest(parts)
    changes, shrunk_from = 0, None
    if before:
        # The clocks of workers differ, and the last part that was staged must remain the latest.
        now = max(now, before.staged_at + _TICK) if before.staged_at else now
        if before.version == files.version:
            changes, shrunk_from = before.changes, before.shrunk_from
        else:
            if before.staged_at and before.staged_at >= period.end and now - before.staged_at < CHANGES_WITHIN:
                changes = before.changes + 1
            if files.objects and files.size_bytes <= SHRUNK * (before.size_bytes or 0):
                shrunk_from = before.size_bytes
    new = StagedPart(
        part, files.version, files.objects, files.size_bytes, shrunk_from, now, changes, loading_run=run_id
    )
    left = [other._replace(interval=span) for other in parts for span in difference([other.interval], part)]
    after: list[StagedPart] = []
    for item in sorted([*left, new], key=lambda item: item.interval.start):
        if after and (merged := _merged(after[-1], item)):
            after[-1] = merged
        else:
            after.append(item)
    return after


def _merged(one: StagedPart, other: StagedPart) -> StagedPart | None:
    """Return two parts as one, if they are adjacent and differ only in when they were staged."""
    same = one.version == other.version and one.loading_run == other.loading_run
    if not same or one.interval.end < other.interval.start:
        return None
    last = latest([one, other])
    assert last is not None
    return last._replace(interval=Interval(one.interval.start, other.interval.end))


def confirm(warehouse: Warehouse, table: str, interval: Interval, run_id: str) -> None:
    """Record that a run has loaded what it has staged.

    Not what another run has staged since: that run loads it. If a run fails for good before this, its parts are not
    loaded, and the reconciliation has them loaded by another run.

    :param table: the staging table.
    :param interval: the interval that the run has staged.
    """
    first = predicates.literal(max(interval.start - max(PERIODS.values()), EARLIEST))
    warehouse.transaction(
        lambda: warehouse.script(
            f"-- Record that {interval} of {table} is loaded.\n"
            f"UPDATE {TABLE} SET loading_run = NULL WHERE table_name = '{table}' AND period_start > {first} "
            f"AND period_start < {predicates.literal(interval.end)} AND loading_run = {predicates.text(run_id)}"
        ),
        lock=[table],
    )
