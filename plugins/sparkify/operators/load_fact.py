"""Load a fact table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sparkify.loading.newest import Newest
from sparkify.loading.strategy import Lookup
from sparkify.operators.load import LoadOperator

if TYPE_CHECKING:
    from sparkify.loading.strategy import Strategy


class LoadFactOperator(LoadOperator):
    """Replace the facts of the run's interval, in one transaction.

    A fact belongs to the interval that delivered it. Duplicate deliveries, in one interval or in several, result in one
    row.

    Facts may look attributes up in late-arriving dimensions that are staged by object. With ``lookup``, the lookup is
    repeated for facts of other intervals if batches were added or retired; ``sql`` then passes the batch column of the
    joined table to the scope: ``{{ scope(partition, lookup="s.batch_id", key=...) }}``.

    If other tables are aggregated from the facts (:class:`~sparkify.operators.load_aggregate.LoadAggregateOperator`),
    ``changes`` tells them which ones have changed in other intervals.

    See :class:`~sparkify.operators.load.LoadOperator` for the other parameters.

    :param lookup: the dimension that provides the looked-up attributes; only batches that it has loaded are used.
    :param lookup_column: the column of ``table`` with the batch of the matching row.
    :param changes: the table of the changes: the columns of ``table`` that groups are formed of, and ``change_id``, a
        BIGINT.
    :raises ValueError: if only one of ``lookup`` and ``lookup_column`` is given.
    """

    ui_color = "#c3d9f7"

    def __init__(
        self, *, lookup: str | None = None, lookup_column: str | None = None, changes: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if (lookup is None) != (lookup_column is None):
            raise ValueError("lookup and lookup_column go together: give both or neither")
        self._lookup = Lookup(lookup, lookup_column) if lookup and lookup_column else None
        self._changes = changes

    @property
    def strategy(self) -> Strategy:
        return Newest(self.source, self._lookup, self._changes)
