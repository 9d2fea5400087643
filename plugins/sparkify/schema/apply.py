"""Apply the declared schema to the database."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from sparkify.schema import definition, views
from sparkify.schema.changes import Kind
from sparkify.schema.plan import Plan, compare, find
from sparkify.schema.rebuild import Replacement
from sparkify.sql import templates
from sparkify.warehouse import WarehouseError
from sparkify.warehouse.ddl import BOOKKEEPING, HISTORY, DdlError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sparkify.schema.changes import Change
    from sparkify.schema.plan import Declared, Found
    from sparkify.warehouse import Warehouse
    from sparkify.warehouse.ddl import Table

    # Which changes are applied: those that leave existing rows as they are, all, or none.
    Policy = Literal["additive", "all", "refuse"]

log = logging.getLogger(__name__)

render = templates.renderer(Path(__file__).parent)


def policy_of(text: str) -> Policy:
    """Return the policy of a name.

    :raises WarehouseError: if there is none.
    """
    if text not in ("additive", "all", "refuse"):
        raise WarehouseError(f"Invalid schema_changes: expected additive, all or refuse, got {text!r}.", terminal=True)
    return cast("Policy", text)


def apply(
    warehouse: Warehouse,
    declared: Declared,
    *,
    policy: Policy = "additive",
    others: Collection[str] = (),
    recreate: bool = False,
) -> tuple[int, dict[str, list[str]]]:
    """Bring the database up to date with the DDL, as far as the policy allows.

    An up-to-date schema costs two queries. Concurrent runs apply a change once: the altered tables are locked,
    and the plan is made again under the lock. The rows of a table that is loaded by a SELECT are rebuilt by its next
    load, from the staging tables; those of other tables are copied here.

    :param declared: the statements of the DDL, each with the table that it creates, if it creates one.
    :param policy: ``additive`` leaves all existing rows as they are, and logs what is pending.
    :param others: other tables whose columns are returned.
    :param recreate: whether to drop all declared tables first, except those of ``history.sql``.
    :return: the number of changes, those of descriptions not counted; and the columns of the declared and the other
        tables.
    :raises DdlError: if the DDL is invalid, or a change needs another policy; nothing is changed then.
    :raises WarehouseError: if the policy refuses the plan, or this code is older than the schema.
    """
    found = warehouse.transaction(lambda: find(warehouse, declared, others))
    if definition.DEFINITIONS not in found and policy != "refuse" and _bootstrap(warehouse, declared):
        found = find(warehouse, declared, others)
    definitions = {definition.DEFINITIONS} & {*found}
    if recreate:
        log.warning("Dropping all tables except those of %s: this run recreates them.", HISTORY)
        count = warehouse.transaction(lambda: _recreate(warehouse, declared), lock=definitions)
        return count, _columns(find(warehouse, declared, others))
    plan = compare(declared, found)
    for column in plan.undeclared:
        log.warning("Column without a declaration, kept: column=%s. Declare it in the DDL, or drop it.", column)
    if not plan.changes and not plan.undeclared:
        return 0, _columns(found)
    refuse_older_code(warehouse, declared, plan, found, policy)
    _report(plan, policy)
    todo = _allowed(plan, policy)
    if not todo and policy != "all":
        return 0, _columns(found)
    altered = {change.table for change in todo if change.table in found and change.kind is not Kind.VIEW}
    count = warehouse.transaction(lambda: _apply(warehouse, declared, policy), lock=altered | definitions)
    count += _apply_outside(warehouse, declared, policy)
    columns = _columns(find(warehouse, declared, others))
    if policy == "all":
        count += _copy(warehouse, declared)
        # A table that the next load rebuilds has its declared columns then.
        for table in declared.values():
            if table and table.is_loaded:
                columns[table.name] = [*dict.fromkeys([*table.definitions, *columns[table.name]])]
    return count, columns


def _columns(found: Found) -> dict[str, list[str]]:
    return {name: list(relation.columns) for name, relation in found.items()}


def _allowed(plan: Plan, policy: Policy) -> list[Change]:
    """Return the changes that a policy allows."""
    return [change for change in plan.changes if policy == "all" or change.kind.is_additive]


def _report(plan: Plan, policy: Policy) -> None:
    """Log the changes that a policy does not allow.

    :raises DdlError: if nothing can be loaded without them.
    :raises WarehouseError: if it allows none.
    """
    schema_changes = [change for change in plan.changes if change.kind is not Kind.EXECUTE]
    if policy == "refuse" and schema_changes:
        raise WarehouseError(
            "The DDL differs from the database, and this run refuses schema changes (schema_changes = refuse). "
            f"Nothing was done.\n{listed(schema_changes)}",
            terminal=True,
        )
    if policy == "all":
        return
    if blocking := [change for change in plan.pending if change.is_blocking]:
        raise DdlError(
            f"{listed(blocking)}\nALTER TABLE cannot add such a column to existing rows. Declare a DEFAULT, or allow "
            "NULL; or trigger the DAG with schema_changes = all, which loads the table again from its staging table."
        )
    for change in plan.pending:
        log.warning(
            "Pending schema change, not applied: table=%s change=%r. Trigger the DAG with schema_changes = all.",
            change.table,
            change.what,
        )


def listed(changes: Sequence[Change]) -> str:
    """Return changes as lines."""
    return "\n".join(
        f"- {change.table}: {change.what}" if change.kind.is_alteration else f"- {change.what}" for change in changes
    )


def _fingerprints(declared: Declared, names: Collection[str]) -> dict[str, str]:
    """Return the fingerprints of tables and views."""
    return {
        str(item.creates): item.fingerprint
        for item in declared
        if item.kind in ("TABLE", "VIEW") and item.creates in names
    }


def refuse_older_code(warehouse: Warehouse, declared: Declared, plan: Plan, found: Found, policy: Policy) -> None:
    """Fail if this code is older than the schema of a table that differs from its DDL, unless it may change all.

    :raises WarehouseError: with both versions.
    """
    definitions = found.get(definition.DEFINITIONS)
    if definitions is None or "is_current" not in definitions.columns:
        return  # of a version that did not record it
    tables = {change.table for change in plan.changes}
    if own := _fingerprints(declared, tables | plan.with_undeclared):
        definition.is_outdated(warehouse, "ddl", own, newest=policy == "all")


def _bootstrap(warehouse: Warehouse, declared: Declared) -> bool:
    """Create the table of the definitions, which other changes lock; return whether it is declared."""
    names = (BOOKKEEPING, definition.DEFINITIONS)
    statements = [statement for name in names for statement in declared if statement.creates == name]
    if not any(statement.creates == definition.DEFINITIONS for statement in statements):
        return False
    for statement in statements:
        warehouse.transaction(partial(warehouse.script, statement.sql))
    return True


def _recreate(warehouse: Warehouse, declared: Declared) -> int:
    tables = [table.name for table in declared.values() if table and not table.keeps_rows]
    views.drop(warehouse, views.dependent(declared, tables))
    for table in tables:
        warehouse.script(f"DROP TABLE IF EXISTS {table}")
    return _apply(warehouse, declared, "additive")


def _apply(warehouse: Warehouse, declared: Declared, policy: Policy) -> int:
    """Apply the changes that a transaction may contain; return their number, descriptions not counted."""
    found = find(warehouse, declared)
    plan = compare(declared, found)
    refuse_older_code(warehouse, declared, plan, found, policy)
    allowed = _allowed(plan, policy)
    if policy == "all":  # a view of a table that is rebuilt afterwards may read its new columns: the rebuild creates it
        postponed = {view.creates for view in views.dependent(declared, plan.rebuilt)}
        allowed = [change for change in allowed if change.kind is not Kind.VIEW or change.table not in postponed]
    todo = [change for change in allowed if not change.kind.is_outside]
    affected = views.dependent(declared, {change.table for change in todo if change.kind.affects_views})
    with views.dropped(warehouse, affected):
        for change in todo:
            is_comment = change.kind is Kind.COMMENT
            if change.sql and change.kind is not Kind.VIEW:
                warehouse.script(change.sql, level=logging.DEBUG if is_comment else logging.INFO)
            if change.table in found and not is_comment:
                log.info("Schema change: table=%s change=%r", change.table, change.what)
    _report_empty_columns(declared, todo, found)
    if definition.DEFINITIONS in found:
        if created := [change.table for change in todo if change.kind is Kind.CREATE and change.table]:
            definition.forget(warehouse, created)
        changed = {change.table for change in allowed}
        if policy == "all":
            changed |= plan.with_undeclared
        if own := _fingerprints(declared, changed):
            definition.update(warehouse, "ddl", own)
    return sum(change.kind is not Kind.COMMENT for change in todo)


def _report_empty_columns(declared: Declared, changes: Sequence[Change], found: Found) -> None:
    """Log the new columns that no load fills: those of tables that are filled from files."""
    staged = {table.name for table in declared.values() if table and not table.is_loaded and not table.is_bookkeeping}
    for change in changes:
        if change.kind is Kind.ADD and change.table in staged:
            log.warning(
                "The new column of a staging table is NULL, or its DEFAULT, in rows that are staged already: table=%s "
                "change=%r rows=%d. To fill it from files that are still in S3, trigger the DAG with start, end and "
                "full_refresh.",
                change.table,
                change.what,
                found[change.table].rows,
            )


def _apply_outside(warehouse: Warehouse, declared: Declared, policy: Policy) -> int:
    """Apply the changes that a transaction may not contain; return their number."""

    def planned() -> list[Change]:
        plan = compare(declared, find(warehouse, declared))
        return [change for change in _allowed(plan, policy) if change.kind.is_outside]

    changes = planned()
    for change in changes:
        try:
            _apply_one_outside(warehouse, declared, change)
        except Exception:
            if change in planned():
                raise
            log.info("A concurrent run has applied the change: table=%s change=%r", change.table, change.what)
        else:
            log.info("Schema change: table=%s change=%r", change.table, change.what)
    return len(changes)


def _apply_one_outside(warehouse: Warehouse, declared: Declared, change: Change) -> None:
    """Apply a change outside of a transaction on Redshift, where the views of the table are missing meanwhile."""
    affected = views.dependent(declared, [change.table]) if change.kind.affects_views else []
    if affected and warehouse.engine == "postgres":

        def work() -> None:
            with views.dropped(warehouse, affected):
                warehouse.script(change.sql)

        warehouse.transaction(work, lock=[change.table])
        return
    privileges = warehouse.transaction(lambda: views.drop(warehouse, affected)) if affected else {}
    try:
        warehouse.autocommit(change.sql)
    finally:
        if affected:
            warehouse.transaction(lambda: views.create(warehouse, affected, privileges))


def _copy(warehouse: Warehouse, declared: Declared) -> int:
    """Rebuild the tables that no SELECT loads, by copying their rows; return their number."""
    tables = compare(declared, find(warehouse, declared)).rebuilt
    replacements = [Replacement.of(declared, table) for table in tables]
    replacements = [replacement for replacement in replacements if not replacement.table.is_loaded]
    for replacement in replacements:
        warehouse.transaction(partial(_copy_table, warehouse, replacement), lock=[replacement.table.name])
    return len(replacements)


def _copy_table(warehouse: Warehouse, replacement: Replacement) -> None:
    if not replacement.is_due(warehouse):
        return  # a concurrent run has rebuilt it
    table = replacement.table
    found = warehouse.columns(table.name)
    replacement.swap_in(
        warehouse, lambda beside: copy_rows(table, beside, found), f"SELECT * FROM {table.name}", table.primary_key
    )


def copy_rows(table: Table, beside: str, found: Collection[str]) -> str:
    """Return the statement that copies the rows of a table into a new one of its declared structure.

    Texts are not cast: CAST would truncate those that are too long, INSERT fails.

    :param beside: the new table.
    :param found: the columns of the existing table.
    """
    types = {name: column.args["kind"] for name, column in table.definitions.items() if name in found}
    casts = {
        name: "" if kind.this.name in ("VARCHAR", "CHAR") else kind.sql("redshift") for name, kind in types.items()
    }
    return render("copy_rows", table=table.name, beside=beside, columns=casts)
