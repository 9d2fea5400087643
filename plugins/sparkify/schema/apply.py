"""Apply the declared schema to the database."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sparkify.schema import definition
from sparkify.schema.plan import Plan, compare
from sparkify.warehouse.catalogue import relations
from sparkify.warehouse.ddl import HISTORY

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sparkify.warehouse import Warehouse
    from sparkify.warehouse.ddl import Statement, Table

log = logging.getLogger(__name__)


def apply(
    warehouse: Warehouse,
    declared: Mapping[Statement, Table | None],
    *,
    others: Collection[str] = (),
    recreate: bool = False,
) -> tuple[int, dict[str, list[str]]]:
    """Create missing objects and add missing columns; never drop a column or change a type.

    The next load of a created table rebuilds it, so that it has the rows of the whole staging table. An up-to-date
    schema costs one catalogue query. Concurrent runs apply a change once: the altered tables are locked, and the plan
    is made again under the lock.

    :param declared: the statements of the DDL, each with the table that it creates, if it creates one.
    :param others: other tables whose columns are returned.
    :param recreate: whether to drop all declared tables first, except those of ``history.sql``.
    :return: the number of executed statements, and the columns of the declared and the other tables.
    :raises DdlError: if a column cannot be added; nothing is changed then.
    """
    names = {*(item.creates for item in declared if item.creates), *others}
    if recreate:
        log.warning("Dropping all tables except those of %s: this run recreates them.", HISTORY)
        return warehouse.transaction(lambda: _recreate(warehouse, declared, names))
    found = relations(warehouse, names)
    plan = compare(declared, found)
    for column in plan.undeclared:
        log.warning("Column without a declaration, kept: column=%s. Declare it in the DDL, or drop it.", column)
    if not plan.statements:
        return 0, found
    lock = [*plan.altered, *([definition.DEFINITIONS] if definition.DEFINITIONS in found else [])]
    return warehouse.transaction(lambda: _apply(warehouse, declared, names), lock=lock)


def _recreate(
    warehouse: Warehouse, declared: Mapping[Statement, Table | None], names: Collection[str]
) -> tuple[int, dict[str, list[str]]]:
    for table in declared.values():
        if table and not table.keeps_rows:
            warehouse.script(f"DROP TABLE IF EXISTS {table.name}")
    return _apply(warehouse, declared, names)


def _apply(
    warehouse: Warehouse, declared: Mapping[Statement, Table | None], names: Collection[str]
) -> tuple[int, dict[str, list[str]]]:
    found = relations(warehouse, names)
    plan: Plan = compare(declared, found)
    for sql in plan.statements:
        warehouse.script(sql)
    if definition.DEFINITIONS in found:
        for item in plan.create:
            if item.kind == "TABLE":
                definition.forget(warehouse, str(item.creates))
    for column in plan.add:
        log.info("Added a column: table=%s column=%s", column.table, column.definition)
    return len(plan.statements), relations(warehouse, names)
