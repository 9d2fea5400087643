"""Predicates that select the source rows of a load.

The SELECT that defines a table calls ``scope(column, key=expression, ...)`` in its WHERE clause. The load passes the
predicate as ``scope``: the rows that changed, the rows of some keys, or all rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from sparkify.interval import EARLIEST, LATEST, Interval

if TYPE_CHECKING:
    from collections.abc import Mapping

# Stands for the changed batches in the SQL that Airflow shows: their numbers are known once a load has begun.
CHANGED_BATCHES = "changed_batches"


class Predicate(Protocol):
    """A predicate on source rows.

    :param column: the source's partition column, qualified.
    :param lookup: the batch column of the joined table that provides looked-up attributes, qualified.
    :param keys: the target's key columns, each with the source's expression for it.
    """

    def __call__(self, column: str, *, lookup: str = "", **keys: str) -> str: ...


def literal(moment: datetime) -> str:
    """Return a moment as a TIMESTAMP literal in UTC; TIMESTAMP has no time zone on either engine."""
    return f"TIMESTAMP '{moment:%Y-%m-%d %H:%M:%S.%f}'"


def text(value: str) -> str:
    """Return a text as a literal."""
    return "'" + value.replace("'", "''") + "'"


@dataclass(frozen=True)
class OfInterval:
    """The rows of an interval of time."""

    interval: Interval

    def __call__(self, column: str, *, lookup: str = "", **keys: str) -> str:
        return f"{column} >= {literal(self.interval.start)} AND {column} < {literal(self.interval.end)}"


def of_changed_batches(column: str, *, lookup: str = "", **keys: str) -> str:
    """The rows of the batches that the table has not loaded yet, or has loaded although they were retired since."""
    return f"{column} IN (SELECT batch_id FROM {CHANGED_BATCHES})"


@dataclass(frozen=True)
class OfBatches:
    """The rows of batches, by number.

    Literals let the databases skip the other batches: PostgreSQL's planner estimates that they are rare (for a subquery
    it assumes an average batch, and scans the joined tables), Redshift prunes blocks.
    """

    ids: tuple[int, ...]

    def __call__(self, column: str, *, lookup: str = "", **keys: str) -> str:
        return f"{column} IN ({', '.join(map(str, self.ids))})" if self.ids else "1 = 0"


@dataclass(frozen=True)
class OfChangedLookup:
    """The rows outside an interval whose lookup matches a changed batch."""

    interval: Interval
    batches: Predicate

    def __call__(self, column: str, *, lookup: str = "", **keys: str) -> str:
        return f"{self.batches(lookup)} AND NOT ({OfInterval(self.interval)(column)})"


@dataclass(frozen=True)
class OfKeys:
    """All rows, in any partition, of the keys in a temporary table."""

    table: str

    def __call__(self, column: str, *, lookup: str = "", **keys: str) -> str:
        same = " AND ".join(f"{self.table}.{name} = {expression}" for name, expression in keys.items())
        return f"EXISTS (SELECT 1 FROM {self.table} WHERE {same})"


def plausible(now: datetime | None = None) -> OfInterval:
    """Return the predicate of rows with a valid timestamp: from EARLIEST on, before LATEST, and not in the future.

    For queries of whole tables. A table may contain the year 10001, which neither database client can represent, and
    which would extend a chart to millions of points.

    :param now: the current time; aware.
    """
    return OfInterval(Interval(EARLIEST, min(now or datetime.now(UTC), LATEST)))


def everything(column: str, *, lookup: str = "", **keys: str) -> str:
    """All rows."""
    return "1 = 1"


class Groups:
    """Records what a SELECT passes to its scope: the columns that form its groups. It selects all rows.

    :ivar partition: the source's partition column, qualified.
    :ivar expressions: the source's expressions, by the target's columns.
    """

    partition: str = ""
    expressions: Mapping[str, str] = MappingProxyType({})

    def __call__(self, column: str, *, lookup: str = "", **keys: str) -> str:
        self.partition, self.expressions = column, keys
        return everything(column)

    @property
    def alias(self) -> str:
        """The name by which the SELECT calls its source."""
        return self.partition.partition(".")[0]
