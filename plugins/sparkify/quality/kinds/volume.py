"""The number of rows compared with earlier weeks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar

import msgspec
from msgspec import Meta

from sparkify.quality import sql
from sparkify.quality.kinds.kind import CheckedRows, Evaluation, Name, NumberKind, Percentage, fraction
from sparkify.sql import predicates

if TYPE_CHECKING:
    from collections.abc import Sequence

WEEK = timedelta(weeks=1)


class Volume(NumberKind, frozen=True, kw_only=True):
    """The interval has about as many rows as the same hours of earlier weeks.

    Weeks without rows are left out: a week before the history begins says nothing.
    """

    name: ClassVar[str] = "volume"
    description: ClassVar[str] = "as many rows as in the same hours of earlier weeks, more or less"

    column: Annotated[Name, Meta(description="a column of times")]
    weeks: Annotated[int, Meta(ge=1, le=12, description="how many weeks to look back")]
    enough: Annotated[int, Meta(ge=1, description="the mean number of rows from which on weeks are compared")] = (
        msgspec.field(name="from")
    )
    at_least: Annotated[Percentage, Meta(description="the smallest percentage of the mean, such as 20 %")]
    at_most: Annotated[Percentage, Meta(description="the largest percentage of the mean, such as 500 %")]

    @property
    def columns(self) -> list[str]:
        return [self.column]

    def select(self, rows: CheckedRows) -> str:
        weeks = [
            predicates.OfInterval(rows.interval.shifted(-WEEK * ago))(self.column) for ago in range(self.weeks + 1)
        ]
        return sql.render("volume", table=rows.table, weeks=weeks)

    def evaluate(self, measured: Sequence[tuple[int, int]], rows: CheckedRows) -> Evaluation:
        now, *earlier = (rows for _, rows in sorted(measured))
        observed = f"{now:,} rows"
        if rows.interval.end - rows.interval.start > WEEK:
            return Evaluation(True, observed, "an interval longer than a week is not compared")
        weeks = [count for count in earlier if count]
        mean = sum(weeks) / len(weeks) if weeks else 0
        if mean < self.enough:
            return Evaluation(
                True, observed, f"earlier weeks have too few rows to compare (fewer than {self.enough:,})"
            )
        least, most = fraction(self.at_least) * mean, fraction(self.at_most) * mean
        weeks_text = f"{len(weeks)} earlier week{'s' * (len(weeks) > 1)}"
        expected = f"{least:,.0f} to {most:,.0f} rows: the mean of {weeks_text} is {mean:,.0f}"
        return Evaluation(least <= now <= most, observed, expected)
