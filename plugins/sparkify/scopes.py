"""Which source rows a load looks at.

The SELECT of a table says what its rows are; where the rest of its WHERE clause belongs it calls
``scope(column, ..., key=expression, ...)``, and the load decides: the rows that changed, those of given keys, or all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from sparkify.interval import Interval

# Temporary tables of a load's session.
CHANGED_BATCHES = "changed_batches"
STALE = "stale"


class Scope(Protocol):
    """A predicate on source rows.

    :param columns: the source's partition column, qualified; or several, of which one has to match.
    :param keys: what identifies the target's row: its column, and the source's expression for it.
    """

    def __call__(self, *columns: str, **keys: str) -> str: ...


def literal(moment: datetime) -> str:
    """Return a moment as a TIMESTAMP literal in UTC; both databases' TIMESTAMP has no zone."""
    return f"TIMESTAMP '{moment:%Y-%m-%d %H:%M:%S.%f}'"


@dataclass(frozen=True)
class OfInterval:
    """The rows of an interval of time."""

    interval: Interval

    def __call__(self, *columns: str, **keys: str) -> str:
        start, end = literal(self.interval.start), literal(self.interval.end)
        either = [f"{column} >= {start} AND {column} < {end}" for column in columns]
        return either[0] if len(either) == 1 else f"(({') OR ('.join(either)}))"


def of_changed_batches(*columns: str, **keys: str) -> str:
    """The rows of the batches that the table has not loaded yet, or holds though they were retired."""
    return " OR ".join(f"{column} IN (SELECT batch_id FROM {CHANGED_BATCHES})" for column in columns)


def of_stale_keys(*columns: str, **keys: str) -> str:
    """All rows, of whatever partition, of the keys whose row is no longer supported."""
    same = " AND ".join(f"{STALE}.{name} = {expression}" for name, expression in keys.items())
    return f"EXISTS (SELECT 1 FROM {STALE} WHERE {same})"


def everything(*columns: str, **keys: str) -> str:
    """All rows."""
    return "1 = 1"
