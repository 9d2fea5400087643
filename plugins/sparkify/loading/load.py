"""The load of a table in one run: in one transaction, incrementally or as a rebuild."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from sparkify.loading import pending
from sparkify.loading.strategy import render
from sparkify.schema import definition
from sparkify.sql import predicates

if TYPE_CHECKING:
    from collections.abc import Callable

    from sparkify.loading.pending import Pending
    from sparkify.loading.strategy import Strategy, Target
    from sparkify.schema.rebuild import Replacement

log = logging.getLogger(__name__)


class _LargeRebuildError(Exception):
    """A rebuild has many rows to insert: begin again in the context that the warehouse has for it."""


@dataclass(frozen=True)
class Load:
    """The load of one table in one run.

    :param target: the table.
    :param strategy: how candidates become its rows.
    :param fingerprint: of the definition of its rows. If the rows in the table have another, they are rebuilt.
    :param is_newest: whether that definition is the newest, even if it was replaced by another one before.
    :param replacement: the declared table, if the table may be replaced by a new one of the declared structure; None if
        its structure stays as it is.
    """

    target: Target
    strategy: Strategy
    fingerprint: str = ""
    is_newest: bool = False
    replacement: Replacement | None = None

    def merge(self) -> int | None:
        """Change the rows whose source has changed.

        :return: rows that were written; None if the source has no batch that the table has not loaded.
        """
        return self._run(lambda found: 0 if found.is_empty else self.strategy.merge(self.target, found))

    def rebuild(self) -> int:
        """Replace all rows with those of the whole source; return the number of rows."""
        return self._run(lambda found: self.strategy.rebuild(self.target), always=True) or 0

    def _run(self, work: Callable[[Pending], int], *, always: bool = False) -> int | None:
        warehouse, table, strategy = self.target.warehouse, self.target.table, self.strategy
        sources = strategy.sources(self.target)

        def load(*, is_prepared: bool = False) -> int | None:
            own = {table: self.fingerprint}
            found = pending.find(warehouse, table, sources)
            changed = definition.outdated(found.definitions, "rows", own, newest=self.is_newest)[table]
            replaced = self.replacement is not None and self.replacement.is_due(warehouse)
            if changed:
                log.info("The definition of the table is new or has changed, rebuilding all rows: table=%s", table)
            if sources.batches and not found.batches.ids and not always and not changed and not replaced:
                return None
            is_direct = changed and not replaced and not is_prepared
            if is_direct and warehouse.expects_many(self.target.select(predicates.everything)):
                raise _LargeRebuildError
            rows = self._swap() if replaced else strategy.rebuild(self.target) if changed else work(found)
            if changed:
                definition.record(warehouse, "rows", own)
            if found.batches.ids:
                warehouse.script(render("end_load", table=table, new=found.new, retired=found.retired))
            return rows

        locks = [table, *strategy.locks]
        try:
            rows = warehouse.transaction(load, lock=locks)
        except _LargeRebuildError:
            with warehouse.filling(table):
                rows = warehouse.transaction(partial(load, is_prepared=True), lock=locks)
        if rows is not None:
            warehouse.analyze(table, rows)
        return rows

    def _swap(self) -> int:
        """Rebuild all rows in a new table of the declared structure."""
        assert self.replacement is not None
        warehouse, keys = self.target.warehouse, self.target.keys
        select, declared = self.target.select(predicates.everything), self.replacement.columns
        columns = [name for name in declared if name not in self.strategy.computed]
        selected = warehouse.table(f"SELECT candidates.* FROM (\n{select}\n) AS candidates WHERE 1 = 0")[0]
        definition.agree(self.target.table, columns, selected)
        count = self.replacement.swap_in(
            warehouse,
            lambda table: self.strategy.insert(table, keys, columns, select),
            self.strategy.rows(keys, columns, select),
            keys,
        )
        self.strategy.rebuilt(self.target)
        return count
