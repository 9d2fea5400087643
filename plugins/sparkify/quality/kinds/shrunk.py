"""Files that have shrunk, because an upload is incomplete."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from sparkify.quality import sql
from sparkify.quality.kinds.kind import CheckedRows, RowKind
from sparkify.sql import predicates


class Shrunk(RowKind, frozen=True, kw_only=True):
    """The files of the interval have not shrunk by half or more since they were last staged."""

    name: ClassVar[str] = "shrunk"
    description: ClassVar[str] = "the periods of the interval whose files have shrunk by half or more"
    outside_table: ClassVar[bool] = True

    period: Annotated[Literal["hour", "day"], Meta(description="what a file covers: hour or day")]

    def failing(self, rows: CheckedRows) -> str:
        """Return a SELECT of the periods that overlap the interval and whose files have shrunk."""
        first = next(rows.interval.periods(self.period))
        start, end = predicates.literal(first.start), predicates.literal(rows.interval.end)
        return sql.render("shrunk", table=rows.table, start=start, end=end)
