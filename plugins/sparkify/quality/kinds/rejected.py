"""Rows that COPY rejected."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from sparkify.quality import sql
from sparkify.quality.kinds.kind import CheckedRows, RowKind
from sparkify.sql import predicates


class Rejected(RowKind, frozen=True, kw_only=True):
    """COPY rejected no row of the files of the interval."""

    name: ClassVar[str] = "rejected"
    description: ClassVar[str] = "the rows that COPY rejected of the files of the interval"
    outside_table: ClassVar[bool] = True

    period: Annotated[
        Literal["hour", "day", "all"],
        Meta(description="what a file covers: hour or day; all: objects that are not partitioned by time"),
    ]

    def failing(self, rows: CheckedRows) -> str:
        """Return a SELECT of the rejected rows of the files whose period overlaps the interval."""
        if self.period == "all":
            return sql.render("rejected", table=rows.table, start="", end="")
        first = next(rows.interval.periods(self.period))
        start, end = predicates.literal(first.start), predicates.literal(rows.interval.end)
        return sql.render("rejected", table=rows.table, start=start, end=end)
