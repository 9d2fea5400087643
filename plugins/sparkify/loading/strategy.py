"""What the load strategies have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from sparkify.schema import definition
from sparkify.sql import predicates, templates

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sparkify.interval import Interval
    from sparkify.loading.pending import Pending, Sources
    from sparkify.warehouse import Warehouse

render = templates.renderer(Path(__file__).parent)


@dataclass(frozen=True)
class Lookup:
    """A dimension that provides looked-up attributes of a fact.

    :param table: the dimension; only batches that it has loaded are used.
    :param column: the column of the fact with the batch of the matching row.
    """

    table: str
    column: str


@dataclass(frozen=True)
class Target:
    """The table that a run loads.

    :param warehouse: the session.
    :param table: the table.
    :param keys: the columns that identify a row.
    :param select: returns the SELECT of its candidates for a scope, the predicate on its source rows.
    :param interval: the interval that the run owns.
    """

    warehouse: Warehouse
    table: str
    keys: Sequence[str]
    select: Callable[[predicates.Predicate], str]
    interval: Interval


class Strategy(ABC):
    """How the candidates for a table become its rows.

    Each strategy leaves the same rows by :meth:`merge`, which reads what changed, and by :meth:`rows`, which reads
    everything. Both run in a transaction that has locked the table.
    """

    # The columns of the table that the strategy computes; the SELECT returns the others.
    computed: ClassVar[Sequence[str]] = ()
    # The staging table whose batches of objects drive the load; None if it is partitioned by time.
    source: str | None = None
    # The dimension, staged by object, that provides looked-up attributes.
    lookup: Lookup | None = None
    # The table of images, if the table is aggregated: see :mod:`sparkify.loading.feed`.
    images: str | None = None

    @property
    def locks(self) -> Sequence[str]:
        """The tables that a load locks, in addition to its own.

        All tables of a source that is staged by object load its new batches at the same time, and each records them.
        """
        return ["operations.loaded_batches"] if self.source else []

    @abstractmethod
    def sources(self, target: Target) -> Sources:
        """Return where the table's changes come from."""

    @abstractmethod
    def rows(self, keys: Sequence[str], columns: Sequence[str], select: str) -> str:
        """Return the SELECT of all rows of the table.

        :param columns: the columns that ``select`` returns.
        :param select: returns all candidates.
        """

    def insert(self, table: str, keys: Sequence[str], columns: Sequence[str], select: str) -> str:
        """Return the statement that inserts all rows into an empty table; see :meth:`rows`."""
        rows = self.rows(keys, columns, select)
        return render("insert", table=table, columns=[*columns, *self.computed], rows=rows)

    @abstractmethod
    def merge(self, target: Target, found: Pending) -> int:
        """Change the rows whose source has changed; return how many rows were written.

        :param found: what has changed: something has.
        """

    def rebuild(self, target: Target) -> int:
        """Replace all rows; return their number."""
        select = target.select(predicates.everything)
        insert = self.insert(target.table, target.keys, self.columns(target, select)[0], select)
        rows = target.warehouse.script(render("rebuild", table=target.table, insert=insert))
        self.rebuilt(target)
        return rows

    def rebuilt(self, target: Target) -> None:  # noqa: B027 - most strategies record nothing
        """Record that the table was rebuilt; the caller commits."""

    def columns(self, target: Target, select: str) -> tuple[list[str], list[str]]:
        """Return the columns of the table that the SELECT returns, and those of the table of images.

        :raises WarehouseError: if the table's other columns are not those that the strategy computes.
        """
        return definition.columns(target.warehouse, target.table, select, self.computed, self.images)
