"""Load a fact table."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from sparkify import strategies
from sparkify.operators.load import LoadOperator
from sparkify.sql import predicates

if TYPE_CHECKING:
    from airflow.sdk import Context

    from sparkify.warehouse import Warehouse

log = logging.getLogger(__name__)


class LoadFactOperator(LoadOperator):
    """Replace the facts of the run's interval, in one transaction.

    A fact belongs to the interval that delivered it. Deliveries of one fact in several intervals, or several times in
    one, leave one row.

    Facts may look attributes up in data that is staged by object, and that may arrive after them. With ``lookup``,
    facts of other intervals are looked up again where batches came or went since; ``sql`` then passes the batch column
    of what it joins to the scope: ``{{ scope(partition, lookup="s.batch_id", key=...) }}``.

    See :class:`~sparkify.operators.load.LoadOperator` for the other parameters.

    :param lookup: the dimension that is looked things up in: the batches that it holds are those that count.
    :param lookup_column: the column of ``table`` with the batch of what was found.
    """

    ui_color = "#c3d9f7"

    def __init__(self, *, lookup: str | None = None, lookup_column: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.lookup = lookup
        self.lookup_column = lookup_column

    def _merge(
        self, warehouse: Warehouse, context: Context, names: dict[str, Any], batches: predicates.OfBatches
    ) -> int:
        rows = super()._merge(warehouse, context, names, batches)
        if batches.ids:
            log.info("%d batches of %s came or went: looking up again.", len(batches.ids), self.lookup)
            self._relink(warehouse, context, names, batches)
        return rows

    def _relink(
        self, warehouse: Warehouse, context: Context, names: dict[str, Any], batches: predicates.OfBatches
    ) -> None:
        warehouse.script(
            strategies.render(
                "relink",
                **names,
                linked=batches(f"{self.table}.{self.lookup_column}"),
                changed=self.changed(batches)(f"{self.table}.{self.partition_column}"),
                found=self._select(context, predicates.OfChangedLookup(self.interval, batches)),
                select=self._select(context, predicates.OfKeys("relinked")),
            )
        )
