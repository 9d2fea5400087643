"""Load a fact table."""

from __future__ import annotations

from typing import Any

from sparkify.loading.load import Lookup
from sparkify.operators.load import LoadOperator


class LoadFactOperator(LoadOperator):
    """Replace the facts of the run's interval, in one transaction.

    A fact belongs to the interval that delivered it. Duplicate deliveries, in one interval or in several, result in one
    row.

    Facts may look attributes up in late-arriving dimensions that are staged by object. With ``lookup``, the lookup is
    repeated for facts of other intervals if batches were added or retired; ``sql`` then passes the batch column of the
    joined table to the scope: ``{{ scope(partition, lookup="s.batch_id", key=...) }}``.

    See :class:`~sparkify.operators.load.LoadOperator` for the other parameters.

    :param lookup: the dimension that provides the looked-up attributes; only batches that it has loaded are used.
    :param lookup_column: the column of ``table`` with the batch of the matching row.
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
