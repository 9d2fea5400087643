"""The age of the newest row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar

from msgspec import Meta

from sparkify.interval import EARLIEST, Interval
from sparkify.quality.kinds.kind import CheckedRows, Evaluation, Name, NumberKind
from sparkify.sql import predicates


class Freshness(NumberKind, frozen=True, kw_only=True):
    """The newest time is not older than so many hours, seen from the end of the run's interval."""

    name: ClassVar[str] = "freshness"
    description: ClassVar[str] = "a column of times, and how old the newest may be at the interval's end"

    column: Name
    hours: Annotated[float, Meta(gt=0, description="a number of hours")]

    @property
    def columns(self) -> list[str]:
        return [self.column]

    def aggregate(self, rows: CheckedRows) -> str:
        until_end = predicates.OfInterval(Interval(EARLIEST, rows.interval.end))(self.column)
        return f"MAX(CASE WHEN {until_end} THEN {self.column} END)"

    def evaluate(self, measured: datetime | None, rows: CheckedRows) -> Evaluation:
        # An interval may end in the future, of which there can be no row.
        end = min(rows.interval.end, datetime.now(UTC))
        expected = f"at most {self.hours:g} h before {end:%Y-%m-%d %H:%M}"
        if measured is None:
            return Evaluation(False, "no row", expected)
        age = end.replace(tzinfo=None) - measured
        observed = f"newest {measured:%Y-%m-%d %H:%M}, {age / timedelta(hours=1):,.1f} h before"
        return Evaluation(age <= timedelta(hours=self.hours), observed, expected)
