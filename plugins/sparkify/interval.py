"""The interval that a run owns, and the periods of the files that it reads.

A run owns [start, end): it loads the events of that interval only, whatever else the files contain.

Airflow is only imported to raise its errors: the commands of the laptop use this module before they configure Airflow.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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


def of_run(dag_run: Any, params: Mapping[str, Any]) -> Interval:
    """Return the interval that a DAG run owns; no other code decides it.

    :param dag_run: the run; its data interval is used if the params have no range.
    :param params: ``start`` and ``end`` of an explicit range, ISO 8601, or None.
    :raises AirflowFailException: if the run has neither, or the interval is invalid. A retry does not help.
    """
    from airflow.sdk.exceptions import AirflowFailException

    start, end = params.get("start"), params.get("end")
    if start or end:
        if not (start and end):
            missing = "end" if start else "start"
            raise AirflowFailException(
                f"Incomplete range: the param {missing} is missing. "
                "Set both start and end, or neither to load the run's data interval."
            )
        try:
            return Interval.parse(start, end).for_one_run()
        except ValueError as error:
            raise AirflowFailException(
                f"Invalid range, start={start!r:.{SHOWN}} and end={end!r:.{SHOWN}}: {error}. "
                "Expected ISO 8601 times such as 2018-11-01T00:00:00Z; end is exclusive."
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
            f"Invalid data interval of this run: {error}. The DAG's schedule must give each run an interval "
            "(CronDataIntervalTimetable does, a cron string does not); or set the params start and end."
        ) from None


def day_of_run(dag_run: Any) -> Interval:
    """Return the day of a run whose partition key is a day.

    :param dag_run: the run; its partition key is the day (UTC), such as 2018-11-01.
    :raises AirflowFailException: if the key is missing or not a valid day. A retry does not help.
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
