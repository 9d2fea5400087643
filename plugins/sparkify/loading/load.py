"""The two load strategies, for any table: merge what changed, or rebuild."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkify.schema import definition
from sparkify.sql import predicates, templates

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sparkify.interval import Interval
    from sparkify.schema.rebuild import Replacement
    from sparkify.warehouse import Warehouse

log = logging.getLogger(__name__)

render = templates.renderer(Path(__file__).parent)


def insert_newest(table: str, keys: Sequence[str], columns: Sequence[str], select: str) -> str:
    """Return the statement that inserts the newest candidate of each key into a table.

    :param select: returns the candidates.
    """
    return render("insert_newest", table=table, keys=list(keys), columns=list(columns), select=select)


@dataclass(frozen=True)
class Lookup:
    """A dimension that provides looked-up attributes of a fact.

    :param table: the dimension; only batches that it has loaded are used.
    :param column: the column of the fact with the batch of the matching row.
    """

    table: str
    column: str


@dataclass(frozen=True)
class Load:
    """The load of one table in one run.

    :param warehouse: the session.
    :param table: the table.
    :param keys: the columns that identify a row.
    :param select: returns the SELECT of candidates for a scope, the predicate on its source rows.
    :param interval: the interval that the run owns.
    :param source: the staging table whose batches of objects drive the load; None if it is partitioned by time.
    :param lookup: the dimension, staged by object, that provides looked-up attributes; None without a lookup.
    :param fingerprint: of the definition of its rows. If the rows in the table have another, they are rebuilt.
    :param is_newest: whether that definition is the newest, even if it was replaced by another one before.
    :param replacement: the declared table, if the table may be replaced by a new one of the declared structure; None if
        its structure stays as it is.
    """

    warehouse: Warehouse
    table: str
    keys: Sequence[str]
    select: Callable[[predicates.Predicate], str]
    interval: Interval
    source: str | None = None
    lookup: Lookup | None = None
    fingerprint: str = ""
    is_newest: bool = False
    replacement: Replacement | None = None

    def merge(self) -> int | None:
        """Upsert the candidates among the source rows that changed.

        A row is only replaced by a newer candidate. A row that has lost its source among the changed rows is looked up
        again in the whole source.

        :return: merged rows; None if the source has no batch that the table has not loaded.
        """
        return self._run(self._merge)

    def rebuild(self) -> int:
        """Replace all rows with the newest candidates of the whole source; return the number of rows."""
        return self._run(lambda batches: self._rebuild(), always=True) or 0

    def _run(self, work: Callable[[predicates.OfBatches], int], *, always: bool = False) -> int | None:
        def load() -> int | None:
            own = {self.table: self.fingerprint}
            changed = definition.is_outdated(self.warehouse, "rows", own, newest=self.is_newest)[self.table]
            replaced = self.replacement is not None and self.replacement.is_due(self.warehouse)
            if changed:
                log.info("The definition of the table is new or has changed, rebuilding all rows: table=%s", self.table)
            batches = self._changed_batches()
            if self.source and not batches.ids and not always and not changed and not replaced:
                return None
            rows = self._swap() if replaced else self._rebuild() if changed else work(batches)
            if changed:
                definition.record(self.warehouse, "rows", own)
            if batches.ids:
                self.warehouse.script(render("end_load", **self._batches))
            return rows

        rows = self.warehouse.transaction(load, lock=[self.table])
        if rows is not None:
            self.warehouse.analyze(self.table, rows)
        return rows

    def _changed_batches(self) -> predicates.OfBatches:
        """Return the batches that the table has not loaded yet, or has loaded although they were retired since."""
        if not (self.source or self.lookup):
            return predicates.OfBatches(())
        self.warehouse.script(render("begin_load", **self._batches))
        rows = self.warehouse.query(f"SELECT batch_id FROM {predicates.CHANGED_BATCHES} ORDER BY batch_id")
        return predicates.OfBatches(tuple(batch_id for (batch_id,) in rows))

    def _swap(self) -> int:
        """Rebuild all rows in a new table of the declared structure."""
        assert self.replacement is not None
        select, columns = self.select(predicates.everything), self.replacement.columns
        selected = self.warehouse.table(f"SELECT candidates.* FROM (\n{select}\n) AS candidates WHERE 1 = 0")[0]
        definition.agree(self.table, columns, selected)
        return self.replacement.swap_in(
            self.warehouse, lambda table: insert_newest(table, self.keys, columns, select), select, self.keys
        )

    def _rebuild(self) -> int:
        select = self.select(predicates.everything)
        return self.warehouse.script(render("rebuild", **self._names(select), select=select))

    def _merge(self, batches: predicates.OfBatches) -> int:
        scope = batches if self.source else predicates.OfInterval(self.interval)
        changed = scope(f"{self.table}.{'batch_id' if self.source else 'interval_time'}")
        select = self.select(scope)
        names = self._names(select)
        self.warehouse.script(render("take_changed", **names, select=select, changed=changed))
        ((stale,),) = self.warehouse.query("SELECT COUNT(*) FROM stale")
        if stale:
            log.info("Rows lost their source, looking for other candidates: table=%s rows=%d", self.table, stale)
            self.warehouse.script(render("take_stale", **names, select=self.select(predicates.OfKeys("stale"))))
        self.warehouse.script(render("merge", **names))
        # All rows of newest are in the table now. Redshift does not report the row count of a MERGE.
        ((rows,),) = self.warehouse.query("SELECT COUNT(*) FROM newest")
        if self.lookup and batches.ids:
            log.info("Looking attributes up again: table=%s changed_batches=%d", self.lookup.table, len(batches.ids))
            self.warehouse.script(
                render(
                    "relink",
                    **names,
                    linked=batches(f"{self.table}.{self.lookup.column}"),
                    changed=changed,
                    found=self.select(predicates.OfChangedLookup(self.interval, batches)),
                    select=self.select(predicates.OfKeys("relinked")),
                )
            )
        return int(rows)

    def _names(self, select: str) -> dict[str, Any]:
        columns = definition.columns(self.warehouse, self.table, select)
        return {"table": self.table, "keys": list(self.keys), "columns": columns}

    @property
    def _batches(self) -> dict[str, Any]:
        return {"table": self.table, "source": self.source, "lookup": self.lookup and self.lookup.table}
