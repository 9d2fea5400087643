"""Facts and dimensions: the newest candidate of each key."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sparkify.loading import feed
from sparkify.loading.pending import Sources
from sparkify.loading.strategy import Lookup, Strategy, render
from sparkify.sql import predicates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sparkify.loading.pending import Pending
    from sparkify.loading.strategy import Target

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Newest(Strategy):
    """Keep the newest candidate of each key.

    A row is only replaced by a newer candidate. A row that has lost its source among the changed rows is looked up
    again in the whole source.

    :param source: the staging table whose batches of objects drive the load; None if it is partitioned by time.
    :param lookup: the dimension, staged by object, that provides looked-up attributes; None without a lookup.
    :param images: the table that tells aggregates which rows have changed, see :mod:`sparkify.loading.feed`; None if
        nothing is aggregated from this table.
    """

    source: str | None = None
    lookup: Lookup | None = None
    images: str | None = None

    def rows(self, keys: Sequence[str], columns: Sequence[str], select: str) -> str:
        return render("newest", keys=list(keys), columns=list(columns), select=select)

    def rebuilt(self, target: Target) -> None:
        if self.images:
            feed.record_rebuild(target.warehouse, target.table, self.images)

    def sources(self, target: Target) -> Sources:
        if self.source:
            return Sources(batches=self.source)
        owned = predicates.OfInterval(target.interval)
        rows = [target.select(owned), f"SELECT 1 FROM {target.table} WHERE {owned('interval_time')}"]
        return Sources(lookup=self.lookup.table if self.lookup else None, rows=rows)

    def merge(self, target: Target, found: Pending) -> int:
        scope = found.batches if self.source else predicates.OfInterval(target.interval)
        select = target.select(scope)
        columns, of_images = self.columns(target, select)
        names = {"table": target.table, "keys": list(target.keys), "columns": columns}
        rows = 0
        if found.has_rows or self.source:
            rows = self._merge(target, scope, select, names, of_images)
        if self.lookup and found.batches.ids:
            self._relink(target, found.batches, names)
        return rows

    def _merge(
        self,
        target: Target,
        scope: predicates.Predicate,
        select: str,
        names: dict[str, Any],
        of_images: Sequence[str],
    ) -> int:
        warehouse, table = target.warehouse, target.table
        names = {**names, "changed": self._changed(target, scope)}
        warehouse.script(render("take_changed", **names, select=select))
        ((rows, older, unchanged, lost),) = warehouse.query(render("count_changed", **names))
        if lost:
            log.info("Rows lost their source, looking for other candidates: table=%s rows=%d", table, lost)
            warehouse.script(render("take_lost", **names, select=target.select(predicates.OfKeys("lost"))))
            # Without the statistics of the added keys, PostgreSQL expects that a merge join with them ends early.
            warehouse.script("ANALYZE newest")
            ((rows, older, unchanged, _),) = warehouse.query(render("count_changed", **names))
        needed = rows - older - unchanged
        if needed or lost:  # none if the run that closes a day loads its hours again
            if older or unchanged:
                warehouse.script(render("drop_unneeded", **names))
            if self.images:
                feed.record(target, self.images, of_images, lost=bool(lost))
        if needed:
            warehouse.script(render("merge", **names))
        # Redshift does not report the row count of a MERGE: all rows of newest are in the table now.
        return int(rows - older)

    def _changed(self, target: Target, scope: predicates.Predicate) -> str:
        return scope(f"{target.table}.{'batch_id' if self.source else 'interval_time'}")

    def _relink(self, target: Target, batches: predicates.OfBatches, names: dict[str, Any]) -> None:
        assert self.lookup is not None
        log.info("Looking attributes up again: table=%s changed_batches=%d", self.lookup.table, len(batches.ids))
        target.warehouse.script(
            render(
                "relink",
                **names,
                linked=batches(f"{target.table}.{self.lookup.column}"),
                changed=self._changed(target, predicates.OfInterval(target.interval)),
                found=target.select(predicates.OfChangedLookup(target.interval, batches)),
                select=target.select(predicates.OfKeys("relinked")),
            )
        )
