"""``make schema``: print the schema changes that the next run would apply, without applying them."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console
from rich.markup import escape

from sandbox import airflow, jobs
from sandbox.last_warehouse import connected

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sparkify.loading.strategy import Strategy
    from sparkify.schema.changes import Change
    from sparkify.schema.plan import Declared, Found
    from sparkify.warehouse import Warehouse

SQL = airflow.ROOT / "include" / "sql"
# Exit codes, as those of `terraform plan -detailed-exitcode`.
NO_CHANGES, FAILED, CHANGES = 0, 1, 2


class LoadTask(NamedTuple):
    """A task that loads a table.

    :param task_id: its id.
    :param keys: the columns that identify a row.
    :param select: the SELECT of all candidates.
    :param fingerprint: of the definition of the rows.
    :param strategy: how the candidates become rows.
    """

    task_id: str
    keys: list[str]
    select: str
    fingerprint: str
    strategy: Strategy


def main(arguments: list[str] | None = None) -> int:
    """Print the plan; return 0 if there is none, 2 if there is one, 1 after an error."""
    parser = argparse.ArgumentParser(prog="make schema", description=__doc__)
    parser.add_argument("--connection", default="redshift", help="id of the Airflow connection of the warehouse")
    parser.add_argument("--state", type=Path, default=airflow.ROOT / ".local", help="folder of the servers' data")
    options = parser.parse_args(arguments)
    if options.connection == "redshift" and "AIRFLOW_CONN_REDSHIFT" not in os.environ:
        # A developer's own Airflow has nothing to do with the local warehouse.
        os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = "sqlite://"

    from sparkify.warehouse.ddl import DdlError
    from sparkify.warehouse.errors import WarehouseError

    console = Console(highlight=False)
    try:
        with connected(options.state.resolve(), "make schema", options.connection) as found:
            if found is None:
                console.print("There is no warehouse yet: 'make run' creates one with all declared tables.")
                return CHANGES
            return show(*found, console)
    except (jobs.BusyError, WarehouseError, DdlError) as error:
        console.print(f"[red]✗[/] {escape(str(error))}", soft_wrap=True)
        return FAILED


def show(name: str, warehouse: Warehouse, console: Console) -> int:
    """Print the plan of a warehouse; return the exit code."""
    from sparkify.schema import definition
    from sparkify.schema.apply import refuse_older_code
    from sparkify.schema.changes import Kind
    from sparkify.schema.plan import compare, find
    from sparkify.warehouse import ddl

    indexes = [path.read_text() for path in sorted((SQL / "postgres").glob("*.sql"))]
    folders = [SQL / folder for folder in ("ddl", "views", "metrics")]
    declared = ddl.read(*folders, indexes=indexes if warehouse.engine == "postgres" else ())
    existing = find(warehouse, declared)
    plan = compare(declared, existing)
    refuse_older_code(warehouse, declared, plan, existing, "additive")
    loads = load_tasks()
    changes = [change for change in plan.changes if change.kind is not Kind.EXECUTE]
    known = definition.DEFINITIONS in existing and "is_current" in existing[definition.DEFINITIONS].columns
    fingerprints = {table: load.fingerprint for table, load in loads.items() if table in existing}
    outdated = definition.is_outdated(warehouse, "rows", fingerprints) if known and fingerprints else {}
    reloaded = [table for table, is_outdated in outdated.items() if is_outdated and table not in plan.rebuilt]
    console.print(f"[bold]Schema[/]  {escape(name)}, compared with include/sql/ddl\n")
    for change in changes:
        _print(change, declared, existing, loads, console)
    for table in reloaded:
        console.print(f"[yellow]~[/] [bold]{table}[/]: its SELECT is new or has changed", soft_wrap=True)
        console.print(f"    {loads[table].task_id} replaces all rows, in one transaction{_rows(table, existing)}")
    for column in plan.undeclared:
        console.print(f"[dim]  {column} is not declared; it is kept[/]")
    if not changes and not reloaded:
        console.print("[green]✓[/] The warehouse is up to date.")
        return NO_CHANGES
    pending = len(plan.pending)
    applied = len(changes) - pending + len(reloaded)
    console.print(
        f"\nNothing was changed. The next run applies {applied} change{'s' if applied != 1 else ''}"
        + (f"; the other {pending} only with the param schema_changes = all." if pending else "."),
        soft_wrap=True,
    )
    return CHANGES


def _print(
    change: Change, declared: Declared, existing: Found, loads: Mapping[str, LoadTask], console: Console
) -> None:
    """Print a change: what it is, its SQL, what it locks and rewrites."""
    from sparkify.schema.changes import Kind

    sign = "[green]+[/]" if change.kind.is_additive else "[red]![/]"
    what = f"[bold]{change.table}[/]: {escape(change.what)}" if change.kind.is_alteration else escape(change.what)
    console.print(f"{sign} {what}", soft_wrap=True)
    if change.kind in (Kind.CREATE, Kind.COMMENT, Kind.VIEW):
        return  # its SQL is that of the file
    rows = _rows(change.table, existing) if change.kind in (Kind.KEYS, Kind.REBUILD) else ""
    console.print(f"    {change.kind.value}{rows}", soft_wrap=True)
    sql = change.sql or rebuild_sql(change.table, declared, loads)
    for line in sql.splitlines():
        console.print(f"    [dim]{escape(line)}[/]", soft_wrap=True)


def _rows(table: str, existing: Found) -> str:
    return f"; about {existing[table].rows:,} rows"


def rebuild_sql(table: str, declared: Declared, loads: Mapping[str, LoadTask]) -> str:
    """Return the statements that rebuild a table."""
    from sparkify.schema.apply import copy_rows
    from sparkify.schema.rebuild import Replacement

    replacement = Replacement.of(declared, table)
    if load := loads.get(table):
        columns = [name for name in replacement.columns if name not in load.strategy.computed]
        return replacement.script(lambda beside: load.strategy.insert(beside, load.keys, columns, load.select))
    return replacement.script(lambda beside: copy_rows(replacement.table, beside, replacement.columns))


def load_tasks() -> dict[str, LoadTask]:
    """Return the tasks of the DAG that load a table, by table."""
    from sparkify.operators.load import LoadOperator
    from sparkify.schema.definition import fingerprint
    from sparkify.sql import predicates

    dag = importlib.import_module(airflow.DAG_ID).dag
    found = {}
    for task in dag.tasks:
        if isinstance(task, LoadOperator):
            task.resolve_template_files()
            context = task.with_scope({}, predicates.everything)
            select = task.render_template(task.sql, context, dag.get_template_env())
            found[task.table] = LoadTask(
                task.task_id, task.keys, select.strip(), fingerprint(task.sql, task.keys), task.strategy
            )
    return found


if __name__ == "__main__":
    sys.exit(main())
