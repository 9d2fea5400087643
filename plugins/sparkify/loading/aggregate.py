"""Aggregates: groups that are recomputed where their source has changed."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sparkify.loading import feed, pending
from sparkify.loading.pending import Sources
from sparkify.loading.strategy import Strategy, render
from sparkify.sql import predicates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sparkify.loading.pending import Pending
    from sparkify.loading.strategy import Target

log = logging.getLogger(__name__)

# The temporary table with the groups to recompute.
GROUPS = "changed_groups"
# The partition column of facts that are loaded by interval.
BY_INTERVAL = "interval_time"


@dataclass(frozen=True)
class Aggregate(Strategy):
    """Recompute the groups whose source rows have changed, and no others.

    The SELECT returns all rows of its groups, and passes the columns that form a group to its scope, with the source's
    expressions for them: a day, a session. These are the groups with rows in the run's interval, and those of the
    source's feed of changes (:mod:`sparkify.loading.feed`): former values, and rows in other intervals. The feed of an
    aggregate has all groups that it recomputed, since it has no intervals.

    :param facts: the table that is aggregated.
    :param changes: its table of images.
    :param images: the table of images of this table; None if nothing is aggregated from it.
    """

    facts: str
    changes: str
    images: str | None = None

    def rows(self, keys: Sequence[str], columns: Sequence[str], select: str) -> str:
        return render("aggregate", columns=list(columns), select=select)

    def rebuilt(self, target: Target) -> None:
        found = pending.find(target.warehouse, target.table, Sources(facts=self.facts, changes=self.changes))
        feed.mark_read(target.warehouse, target.table, self.facts, found.until)
        if self.images:
            feed.record_rebuild(target.warehouse, target.table, self.images)

    def sources(self, target: Target) -> Sources:
        groups = self._groups(target)
        owned = predicates.OfInterval(target.interval)
        rows = [f"SELECT 1 FROM {self.facts} AS {groups.alias} WHERE {owned(groups.partition)}"]
        return Sources(facts=self.facts, changes=self.changes, rows=rows if _is_by_interval(groups) else ())

    def merge(self, target: Target, found: Pending) -> int:
        warehouse, table = target.warehouse, target.table
        if found.is_rebuilt:
            log.info("The source was rebuilt, recomputing all groups: table=%s source=%s", table, self.facts)
            return self.rebuild(target)
        groups = self._groups(target)
        rows = warehouse.script(
            render(
                "regroup",
                table=table,
                facts=self.facts,
                changes=self.changes if found.has_changes else None,
                since=found.since,
                alias=groups.alias,
                groups=groups.expressions,
                changed=predicates.OfInterval(target.interval)(groups.partition) if found.has_rows else None,
                columns=self.columns(target, target.select(predicates.everything))[0],
                select=target.select(predicates.OfKeys(GROUPS)),
            )
        )
        if found.has_changes:
            feed.mark_read(warehouse, table, self.facts, found.until)
        if self.images:
            feed.record_groups(warehouse, table, self.images, GROUPS, [*groups.expressions])
        return rows

    @staticmethod
    def _groups(target: Target) -> predicates.Groups:
        groups = predicates.Groups()
        target.select(groups)
        return groups


def _is_by_interval(groups: predicates.Groups) -> bool:
    return groups.partition.endswith(f".{BY_INTERVAL}")
