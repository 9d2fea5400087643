"""Which source rows a load looks at.

The SELECT of a table says what its rows are; where the rest of its WHERE clause belongs it calls
``scope(column, key=expression, ...)``, and the load decides: the rows that changed, those of given keys, or all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from sparkify.interval import EARLIEST, LATEST, Interval

# The temporary table of a load's session that lists batches.
CHANGED_BATCHES = "changed_batches"


class Scope(Protocol):
    """A predicate on source rows.

    :param column: the source's partition column, qualified.
    :param lookup: the batch column of a table that the source is joined with for its attributes, qualified.
    :param keys: what identifies the target's row: its column, and the source's expression for it.
    """

    def __call__(self, column: str, *, lookup: str = "", **keys: str) -> str: ...


def literal(moment: datetime) -> str:
    """Return a moment as a TIMESTAMP literal in UTC; both databases' TIMESTAMP has no zone."""
    return f"TIMESTAMP '{moment:%Y-%m-%d %H:%M:%S.%f}'"


@dataclass(frozen=True)
class OfInterval:
    """The rows of an interval of time."""

    interval: Interval

    def __call__(self, column: str, *, lookup: str = "", **keys: str) -> str:
        return f"{column} >= {literal(self.interval.start)} AND {column} < {literal(self.interval.end)}"


def of_changed_batches(column: str, *, lookup: str = "", **keys: str) -> str:
    """The rows of the batches that the table has not loaded yet, or holds though they were retired."""
    return f"{column} IN (SELECT batch_id FROM {CHANGED_BATCHES})"


@dataclass(frozen=True)
class OfBatches:
    """The rows of batches, by number.

    Only numbers in the statement let the databases skip the other batches: PostgreSQL's planner sees that they are
    rare (behind a subquery it expects the mean batch, and scans the tables joined to it), Redshift prunes blocks.
    """

    ids: tuple[int, ...]

    def __call__(self, column: str, *, lookup: str = "", **keys: str) -> str:
        return f"{column} IN ({', '.join(map(str, self.ids))})" if self.ids else "1 = 0"


@dataclass(frozen=True)
class OfChangedLookup:
    """The rows outside an interval that a changed batch of the looked-up table gives an attribute."""

    interval: Interval
    batches: Scope

    def __call__(self, column: str, *, lookup: str = "", **keys: str) -> str:
        return f"{self.batches(lookup)} AND NOT ({OfInterval(self.interval)(column)})"


@dataclass(frozen=True)
class OfKeys:
    """All rows, of whatever partition, of the keys in a temporary table."""

    table: str

    def __call__(self, column: str, *, lookup: str = "", **keys: str) -> str:
        same = " AND ".join(f"{self.table}.{name} = {expression}" for name, expression in keys.items())
        return f"EXISTS (SELECT 1 FROM {self.table} WHERE {same})"


def plausible(now: datetime | None = None) -> OfInterval:
    """Return the scope of the rows whose time can be true: from EARLIEST on, before LATEST, and not in the future.

    For readers of whole tables. A table may hold the year 10001, which neither database client can represent, and which
    would stretch a chart over millions of points.

    :param now: the clock; aware.
    """
    return OfInterval(Interval(EARLIEST, min(now or datetime.now(UTC), LATEST)))


def everything(column: str, *, lookup: str = "", **keys: str) -> str:
    """All rows."""
    return "1 = 1"
