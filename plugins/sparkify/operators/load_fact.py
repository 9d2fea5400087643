"""Load a fact table."""

from __future__ import annotations

from typing import Any

from sparkify.loading.load import Lookup
from sparkify.operators.load import LoadOperator


class LoadFactOperator(LoadOperator):
    """Replace the facts of the run's interval, in one transaction.

    A fact belongs to the interval that delivered it. Deliveries of one fact in several intervals, or several times in
    one, leave one row.

    Facts may look attributes up in data that is staged by object, and that may arrive after them. With ``lookup``,
    facts of other intervals are looked up again if batches came or went since; ``sql`` then passes the batch column
    of what it joins to the scope: ``{{ scope(partition, lookup="s.batch_id", key=...) }}``.

    See :class:`~sparkify.operators.load.LoadOperator` for the other parameters.

    :param lookup: the dimension that provides the looked-up attributes: the batches that it holds are those that count.
    :param lookup_column: the column of ``table`` with the batch of the row that was found.
    :raises ValueError: if only one of ``lookup`` and ``lookup_column`` is given.
    """

    ui_color = "#c3d9f7"

    def __init__(self, *, lookup: str | None = None, lookup_column: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if (lookup is None) != (lookup_column is None):
            raise ValueError("lookup and lookup_column go together: give both or neither")
        self._lookup = Lookup(lookup, lookup_column) if lookup and lookup_column else None

    @property
    def lookup(self) -> Lookup | None:
        return self._lookup
