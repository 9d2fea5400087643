"""Rebuild a table beside the old one, and swap them."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sparkify.schema import definition, views
from sparkify.schema.plan import comments, compare, find
from sparkify.sql import templates
from sparkify.sql.scripts import body
from sparkify.warehouse import WarehouseError
from sparkify.warehouse.catalogue import grants

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sparkify.schema.plan import Declared
    from sparkify.warehouse import Warehouse
    from sparkify.warehouse.ddl import Statement, Table

log = logging.getLogger(__name__)

render = templates.renderer(Path(__file__).parent)


@dataclass(frozen=True)
class Replacement:
    """The declared table that replaces an existing one.

    :param statement: its CREATE TABLE.
    :param table: the table that it declares.
    :param indexes: the statements that create its indexes, on PostgreSQL.
    :param views: the declared views that depend on it; they are created again.
    """

    statement: Statement
    table: Table
    indexes: Sequence[Statement] = field(default=())
    views: Sequence[Statement] = field(default=())

    @classmethod
    def of(cls, declared: Declared, name: str) -> Replacement:
        """Return the replacement of a table.

        :raises WarehouseError: if the DDL does not declare it.
        """
        indexes = [statement for statement in declared if statement.index_of == name]
        for statement, table in declared.items():
            if table and table.name == name:
                return cls(statement, table, indexes, views.dependent(declared, [name]))
        raise WarehouseError(f"No file of DDL declares the table {name}.", terminal=True)

    def is_due(self, warehouse: Warehouse) -> bool:
        """Return whether the existing table differs in what ALTER TABLE cannot change."""
        declared = {self.statement: self.table}
        return bool(compare(declared, find(warehouse, declared)).rebuilt)

    @property
    def columns(self) -> list[str]:
        """Its columns, in order."""
        return list(self.table.definitions)

    def swap_in(self, warehouse: Warehouse, fill: Callable[[str], str], source: str, keys: Sequence[str]) -> int:
        """Create it beside the existing table, fill it, check its rows, and swap the two by renaming them.

        Call it in a transaction that has locked the table; the swap is committed with it. Readers see the old or the
        new table. If the process is killed before, the old table is unchanged, and the next call begins again.

        On PostgreSQL the new table is filled by a second session and committed before the swap: a transaction whose
        snapshot was taken before the swap would otherwise see the new table without its rows
        (https://www.postgresql.org/docs/current/mvcc-caveats.html). The lock keeps other writers away meanwhile.

        :param fill: returns the INSERT into the table of the given name.
        :param source: the SELECT of its rows, to check the keys.
        :param keys: the columns that identify a row; if empty, only the number of rows is checked.
        :return: its rows.
        :raises WarehouseError: if a check fails, or other objects depend on the table; the old table is unchanged.
        """
        name = self.table.name
        beside, former = self._names
        check = render("check_rebuild", table=name, beside=beside, source=source, keys=keys)
        privileges = grants(warehouse, name)
        log.info("Rebuilding the table beside the old one: table=%s beside=%s", name, beside)
        if warehouse.engine == "postgres":
            with warehouse.another() as other:
                other.transaction(lambda: other.script(self._create(beside)))
                counts = other.transaction(lambda: _fill(other, fill(beside), check), lock=[beside])
        else:
            warehouse.script(self._create(beside))
            counts = _fill(warehouse, fill(beside), check)
        rows = _checked(name, counts, keys)
        # The views are dropped first: readers lock a view before its tables.
        with (
            views.dropped(warehouse, self.views),
            views.without_dependents(f"{name} cannot be replaced by the rebuilt table"),
        ):
            warehouse.script(render("swap", table=name, beside=beside, former=former))
        if warehouse.engine == "postgres":
            for index in self.indexes:
                warehouse.script(index.sql)
        for change in comments(self.statement, self.table, None):
            warehouse.script(change.sql, level=logging.DEBUG)
        for grant in privileges:
            warehouse.script(grant)
        if self.views:
            definition.update(warehouse, "ddl", {str(view.creates): view.fingerprint for view in self.views})
        return rows

    def script(self, fill: Callable[[str], str]) -> str:
        """Return the statements of :meth:`swap_in`, without its checks, indexes, descriptions and privileges."""
        beside, former = self._names
        swap = render("swap", table=self.table.name, beside=beside, former=former)
        return "\n".join([self._create(beside), fill(beside).rstrip("; \n") + ";", swap])

    @property
    def _names(self) -> tuple[str, str]:
        return f"{self.table.name}__rebuild", f"{self.table.name}__former"

    def _create(self, name: str) -> str:
        create = re.sub(r"(?i)(\bEXISTS\s+)[\w.\"]+", rf"\g<1>{name}", body(self.statement.sql), count=1)
        return f"DROP TABLE IF EXISTS {name};\n{create.rstrip('; ')};"


def _fill(warehouse: Warehouse, insert: str, check: str) -> tuple[int, int, int, int]:
    warehouse.script(insert)
    (counts,) = warehouse.query(check)
    former, rows, keys, missing = counts
    return former, rows, keys, missing


def _checked(table: str, counts: tuple[int, int, int, int], keys: Sequence[str]) -> int:
    """Return the number of rebuilt rows.

    :raises WarehouseError: if the rebuilt table lacks rows, or has duplicates.
    """
    former, rows, distinct, missing = counts
    problem = ""
    if former and not rows:
        problem = f"it has no rows, the old table has {former:,}"
    elif missing or distinct != rows:
        problem = f"{rows:,} rows, {distinct:,} distinct keys, {missing:,} keys of the source are missing"
    elif not keys and rows != former:
        problem = f"it has {rows:,} rows, the old table has {former:,}"
    if problem:
        raise WarehouseError(
            f"The rebuilt table {table} failed its check: {problem}. The old table is unchanged. Check the staging "
            "tables and the SELECT.",
            terminal=True,
        )
    log.info("Rebuilt: table=%s rows_before=%d rows=%d", table, former, rows)
    return rows
