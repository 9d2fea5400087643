"""What a load has to do: found by one query, so that a run without new data ends after it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkify.schema.definition import Definition
from sparkify.sql import predicates, templates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sparkify.warehouse import Warehouse

render = templates.renderer(Path(__file__).parent)


@dataclass(frozen=True)
class Sources:
    """Where the changes of a table come from.

    :param batches: the staging table whose batches drive the load; None if there is none.
    :param lookup: the dimension, staged by object, that provides looked-up attributes; None without one.
    :param facts: the table that is aggregated, with a feed of changes; None without one.
    :param changes: the feed's table of images.
    :param rows: SELECTs of the rows that belong to the run's interval: if none returns any, nothing of it is loaded.
    """

    batches: str | None = None
    lookup: str | None = None
    facts: str | None = None
    changes: str | None = None
    rows: Sequence[str] = ()


@dataclass(frozen=True)
class Pending:
    """What a load has to do.

    :param definitions: the recorded definitions of the table's rows.
    :param new: the batches that the table has not loaded yet.
    :param retired: those that it has loaded although they were retired since.
    :param since: changes of the feed with a greater number are unread.
    :param until: the greatest number.
    :param is_rebuilt: whether the aggregated table was rebuilt since, or the table was never loaded.
    :param has_rows: whether the source or the table has rows of the run's interval.
    """

    definitions: list[Definition]
    new: tuple[int, ...]
    retired: tuple[int, ...]
    since: int
    until: int
    is_rebuilt: bool
    has_rows: bool

    @property
    def batches(self) -> predicates.OfBatches:
        """The rows of the changed batches."""
        return predicates.OfBatches(tuple(sorted({*self.new, *self.retired})))

    @property
    def has_changes(self) -> bool:
        """Whether the feed has unread changes."""
        return self.until > self.since

    @property
    def is_empty(self) -> bool:
        """Whether nothing has changed."""
        return not (self.has_rows or self.has_changes or self.is_rebuilt or self.batches.ids)


def find(warehouse: Warehouse, table: str, sources: Sources) -> Pending:
    """Return what the load of a table has to do; the caller has locked the table."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for kind, *values in warehouse.query(
        render(
            "pending",
            table=table,
            source=sources.batches,
            lookup=sources.lookup,
            facts=sources.facts,
            changes=sources.changes,
            rows=sources.rows,
        )
    ):
        found.setdefault(kind, []).append(tuple(values))

    def numbers(kind: str) -> list[int]:
        return [number for _, number, *_ in found.get(kind, ()) if number is not None]

    loaded = numbers("loaded change")
    since = max(loaded, default=0)
    return Pending(
        definitions=[Definition(table, *values) for values in found.get("definition", ())],
        new=tuple(numbers("new batch")),
        retired=tuple(numbers("retired batch")),
        since=since,
        until=max(numbers("change"), default=0),
        is_rebuilt=bool(sources.facts) and (not loaded or max(numbers("rebuild"), default=0) > since),
        has_rows="rows" in found,
    )
