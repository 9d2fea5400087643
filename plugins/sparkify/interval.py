"""Half-open intervals of time, and their arithmetic: periods, union, difference.

This module imports nothing of Airflow; :mod:`sparkify.dag.run` has the interval that a DAG run owns.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Period = Literal["hour", "day"]
PERIODS: dict[Period, timedelta] = {"hour": timedelta(hours=1), "day": timedelta(days=1)}

# Valid timestamps, [EARLIEST, LATEST). Others are errors: a mistyped year, or microseconds sent as milliseconds.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
# The longest interval of one run: ten years. A run lists the files of each period in S3, sequentially: 3,653 requests
# for daily files take minutes, 87,672 for hourly ones about an hour, within a task's timeout.
LONGEST = timedelta(days=3653)
# Maximum characters of user input in an error message.
SHOWN = 60


@dataclass(frozen=True)
class Interval:
    """A half-open interval of time, [start, end), in UTC.

    :param start: inclusive; aware.
    :param end: exclusive; aware.
    :raises ValueError: if the end is not after the start.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"The interval must end after it starts: [{self.start}, {self.end})")

    def __str__(self) -> str:
        return f"[{self.start:%Y-%m-%d %H:%M}, {self.end:%Y-%m-%d %H:%M})"

    @classmethod
    def parse(cls, start: str | datetime, end: str | datetime) -> Interval:
        """Return the interval between two times.

        :param start: ISO 8601, or a datetime; UTC if without a time zone.
        :param end: likewise.
        :raises ValueError: if one is not a valid timestamp, or the end is not after the start.
        """
        return cls(moment(start), moment(end))

    def contains(self, other: Interval) -> bool:
        """Return whether the other interval is a part of this one."""
        return self.start <= other.start and other.end <= self.end

    def shifted(self, by: timedelta) -> Interval:
        """Return the interval, moved in time.

        :param by: negative for an earlier interval.
        """
        return Interval(self.start + by, self.end + by)

    def for_one_run(self) -> Interval:
        """Return the interval, if it is not too long for one run.

        :raises ValueError: if it is longer than :data:`LONGEST`.
        """
        if self.end - self.start > LONGEST:
            raise ValueError(
                f"{self} is {(self.end - self.start).days:,} days long and one run loads at most {LONGEST.days:,}, "
                "because it lists the files of each; check the years, or load it in several runs"
            )
        return self

    def closing(self, period: Period) -> Interval:
        """Return the interval, extended to the start of its first period if it reaches that period's end.

        Late-arriving events are written to a file after their hour was loaded. The run that closes the file's period
        loads them: it reprocesses the whole period.
        """
        first = next(self.periods(period))
        return Interval(first.start, self.end) if first.end <= self.end else self

    def periods(self, period: Period) -> Iterator[Interval]:
        """Yield the whole hours or days (UTC) that overlap the interval, in order."""
        step = PERIODS[period]
        start = self.start.replace(minute=0, second=0, microsecond=0)
        if period == "day":
            start = start.replace(hour=0)
        while start < self.end:
            yield Interval(start, start + step)
            start += step


def union(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Return the union of intervals: in order, disjoint; adjacent and overlapping ones are merged."""
    merged: list[Interval] = []
    for span in sorted(intervals, key=lambda span: span.start):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Interval(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return tuple(merged)


def difference(intervals: Sequence[Interval], other: Interval) -> tuple[Interval, ...]:
    """Return the parts of disjoint intervals that are outside of another interval, in order."""
    left = []
    for span in intervals:
        if span.start < other.start:
            left.append(Interval(span.start, min(span.end, other.start)))
        if span.end > other.end:
            left.append(Interval(max(span.start, other.end), span.end))
    return tuple(left)


def moment(value: str | datetime) -> datetime:
    """Parse a timestamp and convert it to UTC.

    :param value: ISO 8601, or a datetime; UTC if without a time zone.
    :raises ValueError: if it is not a timestamp, or not from :data:`EARLIEST` to :data:`LATEST`.
    """
    shown = f"{value!s:.{SHOWN}}"
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else value
        found = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, AttributeError):
        raise ValueError(f"{shown!r} is not a valid ISO 8601 time") from None
    except OverflowError:
        found = None
    if found is None or not EARLIEST <= found <= LATEST:
        raise ValueError(f"{shown!r} is out of range, expected {EARLIEST:%Y-%m-%d} to {LATEST:%Y-%m-%d}")
    return found
