"""Facts and dimensions: the newest candidate of each key."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sparkify.loading import feed
from sparkify.loading.strategy import Lookup, Strategy, render
from sparkify.sql import predicates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sparkify.loading.strategy import Target

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Newest(Strategy):
    """Keep the newest candidate of each key.

    A row is only replaced by a newer candidate. A row that has lost its source among the changed rows is looked up
    again in the whole source.

    :param source: the staging table whose batches of objects drive the load; None if it is partitioned by time.
    :param lookup: the dimension, staged by object, that provides looked-up attributes; None without a lookup.
    :param changes: the table that tells aggregates which rows have changed, see :mod:`sparkify.loading.feed`; None if
        nothing is aggregated from this table.
    """

    source: str | None = None
    lookup: Lookup | None = None
    changes: str | None = None

    def rows(self, keys: Sequence[str], columns: Sequence[str], select: str) -> str:
        return render("newest", keys=list(keys), columns=list(columns), select=select)

    def rebuilt(self, target: Target) -> None:
        if self.changes:
            feed.record_rebuild(target.warehouse, target.table, self.changes)

    def merge(self, target: Target, batches: predicates.OfBatches) -> int:
        warehouse, table = target.warehouse, target.table
        scope = batches if self.source else predicates.OfInterval(target.interval)
        changed = scope(f"{table}.{'batch_id' if self.source else 'interval_time'}")
        select = target.select(scope)
        names = {"table": table, "keys": list(target.keys), "columns": self.columns(target, select)}
        warehouse.script(render("take_changed", **names, select=select, changed=changed))
        ((stale,),) = warehouse.query("SELECT COUNT(*) FROM stale")
        if stale:
            log.info("Rows lost their source, looking for other candidates: table=%s rows=%d", table, stale)
            warehouse.script(render("take_stale", **names, select=target.select(predicates.OfKeys("stale"))))
            # Without the statistics of the added keys, PostgreSQL expects that a merge join with them ends early.
            warehouse.script("ANALYZE newest")
        warehouse.script(render("drop_older", **names))
        if self.changes:
            feed.record(warehouse, table, self.changes, target.keys, target.interval)
        warehouse.script(render("merge", **names))
        # All rows of newest are in the table now. Redshift does not report the row count of a MERGE.
        ((rows,),) = warehouse.query("SELECT COUNT(*) FROM newest")
        if self.lookup and batches.ids:
            self._relink(target, batches, names, changed)
        return int(rows)

    def _relink(self, target: Target, batches: predicates.OfBatches, names: dict[str, Any], changed: str) -> None:
        assert self.lookup is not None
        log.info("Looking attributes up again: table=%s changed_batches=%d", self.lookup.table, len(batches.ids))
        target.warehouse.script(
            render(
                "relink",
                **names,
                linked=batches(f"{target.table}.{self.lookup.column}"),
                changed=changed,
                found=target.select(predicates.OfChangedLookup(target.interval, batches)),
                select=target.select(predicates.OfKeys("relinked")),
            )
        )
