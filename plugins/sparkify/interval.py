"""The interval that a run owns, and the periods of the files that it reads.

A run covers [start, end): it loads the events of that time, whatever else is in the files, and nothing else.

Airflow is imported where its errors are raised: the commands of the laptop use this module before they configure it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Period = Literal["hour", "day"]
PERIODS: dict[Period, timedelta] = {"hour": timedelta(hours=1), "day": timedelta(days=1)}

# The times that the warehouse accepts, [EARLIEST, LATEST). A time outside is a mistake: a mistyped year, or
# microseconds sent as milliseconds.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
# The longest interval of one run: ten years. A run lists S3 once for the files of each period, one period after the
# other: 3,653 lists of daily files take minutes, 87,672 of hourly ones about an hour, within a task's time limit.
LONGEST = timedelta(days=3653)
# Characters of what somebody entered that an error repeats.
SHOWN = 60


@dataclass(frozen=True)
class Interval:
    """A span of time, [start, end), in UTC.

    :param start: the first moment; aware.
    :param end: the first moment after; aware.
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

        :param start: ISO 8601, or a datetime; without a zone it is UTC.
        :param end: likewise.
        :raises ValueError: if one is not a time that the warehouse accepts, or the end is not after the start.
        """
        return cls(moment(start), moment(end))

    def for_one_run(self) -> Interval:
        """Return the interval, if one run may own it.

        :raises ValueError: if it is longer than :data:`LONGEST`.
        """
        if self.end - self.start > LONGEST:
            raise ValueError(
                f"{self} is {(self.end - self.start).days:,} days long and one run loads at most {LONGEST.days:,}, "
                "because it lists the files of each; check the years, or load it in several runs"
            )
        return self

    def closing(self, period: Period) -> Interval:
        """Return the interval from the start of its first period, where it reaches that period's end.

        A file may be written to after the hour of an event was loaded. The run that closes the file's period takes
        what came late: it covers the period whole.
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


def of_run(dag_run: Any, params: Mapping[str, Any]) -> Interval:
    """Return the interval of a DAG run: this is the one place that decides it.

    :param dag_run: the run; its data interval counts where the params name none.
    :param params: ``start`` and ``end`` of an explicit range, ISO 8601, or None.
    :raises AirflowFailException: if the run has neither, or no run can own it. No retry helps.
    """
    from airflow.sdk.exceptions import AirflowFailException

    start, end = params.get("start"), params.get("end")
    if start or end:
        if not (start and end):
            missing = "end" if start else "start"
            raise AirflowFailException(
                f"The run names only one end of its range: {missing} is missing. "
                "Give both start and end, or neither to load the run's data interval."
            )
        try:
            return Interval.parse(start, end).for_one_run()
        except ValueError as error:
            raise AirflowFailException(
                f"The run's range, start={start!r:.{SHOWN}} and end={end!r:.{SHOWN}}, cannot be used: {error}. "
                "Both are ISO 8601 times such as 2018-11-01T00:00:00Z; end is the first moment after the range."
            ) from None
    if not (dag_run.data_interval_start and dag_run.data_interval_end):
        raise AirflowFailException(
            "This run has no interval: it was triggered without a logical date and without a range. "
            "Trigger it again with the params start and end, or give it a logical date."
        )
    try:
        return Interval.parse(dag_run.data_interval_start, dag_run.data_interval_end).for_one_run()
    except ValueError as error:
        raise AirflowFailException(
            f"This run's data interval cannot be used: {error}. The DAG's schedule must give each run an interval "
            "(CronDataIntervalTimetable does, a cron string does not); or give start and end as params."
        ) from None


def day_of_run(dag_run: Any) -> Interval:
    """Return the day of a run of a DAG whose partitions are days.

    :param dag_run: the run; its partition key is the day (UTC), such as 2018-11-01.
    :raises AirflowFailException: if it has none, or it is not a day that the warehouse accepts. No retry helps.
    """
    from airflow.sdk.exceptions import AirflowFailException

    key = dag_run.partition_key
    try:
        start = moment(datetime.strptime(key or "", "%Y-%m-%d").replace(tzinfo=UTC))
        return Interval.parse(start, start + PERIODS["day"])
    except ValueError:
        raise AirflowFailException(
            f"This run's partition key is not a date from {EARLIEST:%Y-%m-%d} on and before {LATEST:%Y-%m-%d}: "
            f"{key!r:.{SHOWN}}. Trigger the DAG again with a partition key such as 2018-11-01."
        ) from None


def moment(value: str | datetime) -> datetime:
    """Return a time that somebody entered, in UTC.

    :param value: ISO 8601, or a datetime; without a zone it is UTC.
    :raises ValueError: if it is not a time, or not one from :data:`EARLIEST` to :data:`LATEST`.
    """
    shown = f"{value!s:.{SHOWN}}"
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else value
        found = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, AttributeError):
        raise ValueError(f"{shown!r} is not an ISO 8601 time") from None
    except OverflowError:
        found = None
    if found is None or not EARLIEST <= found <= LATEST:
        raise ValueError(f"{shown!r} is not in the warehouse's time, {EARLIEST:%Y-%m-%d} to {LATEST:%Y-%m-%d}")
    return found
