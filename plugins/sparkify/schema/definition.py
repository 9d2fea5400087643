"""The definitions of a table: its DDL, and that of its rows (its SELECT and its keys).

``operations.table_definitions`` has a fingerprint of each definition that was ever applied. So rows of a former
definition are rebuilt, and code with a former definition is recognized as older.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sparkify.sql import predicates, templates

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sparkify.warehouse import Warehouse

    Kind = Literal["ddl", "rows"]

DEFINITIONS = "operations.table_definitions"

render = templates.renderer(Path(__file__).parent)


@dataclass(frozen=True)
class Definition:
    """A recorded definition.

    :param table: the table.
    :param fingerprint: of the definition.
    :param version: 1 for the table's first definition.
    :param is_current: whether it is that of the table, or of all its rows.
    :param recorded_at: UTC; None if unknown.
    """

    table: str
    fingerprint: str
    version: int
    is_current: bool
    recorded_at: datetime | None


def fingerprint(select: str, keys: Sequence[str]) -> str:
    """Return a hash of the definition of rows; comments and white space do not count.

    :param select: the template of the SELECT.
    :param keys: the columns that identify a row.
    """
    from sparkify.sql.scripts import without_comments

    return hashlib.sha256("\0".join([*without_comments(select).split(), *keys]).encode()).hexdigest()


def recorded(warehouse: Warehouse, kind: Kind, tables: Collection[str]) -> list[Definition]:
    """Return all recorded definitions of tables."""
    return [Definition(*row) for row in warehouse.query(render("definitions", kind=kind, tables=sorted(tables)))]


def is_outdated(
    warehouse: Warehouse, kind: Kind, fingerprints: Mapping[str, str], *, newest: bool = False
) -> dict[str, bool]:
    """Return for each table whether its current definition is another one; see :func:`outdated`."""
    return outdated(recorded(warehouse, kind, fingerprints), kind, fingerprints, newest=newest)


def outdated(
    known: Sequence[Definition], kind: Kind, fingerprints: Mapping[str, str], *, newest: bool = False
) -> dict[str, bool]:
    """Return for each table whether its current definition is another one.

    :param known: the recorded definitions of the tables.
    :param fingerprints: the definitions of this code, by table.
    :param newest: whether this code's definitions are the newest, even if they were applied before.
    :raises WarehouseError: if a definition of this code was replaced by a newer one: the code is older.
    """
    from sparkify.warehouse import WarehouseError

    current = {item.table: item for item in known if item.is_current}
    former = {(item.table, item.fingerprint): item for item in known if not item.is_current}
    for table, own in fingerprints.items():
        if not newest and table in current and (older := former.get((table, own))):
            found = current[table]
            what = "schema" if kind == "ddl" else "SELECT"
            since = f", applied {found.recorded_at:%Y-%m-%d %H:%M} UTC" if found.recorded_at else ""
            raise WarehouseError(
                f"This code is older than the warehouse: it has version {older.version} of the {what} of {table}, the "
                f"warehouse has version {found.version}{since}. Nothing was changed. Deploy the newer code. "
                "To go back deliberately, trigger the DAG with schema_changes = all.",
                terminal=True,
            )
    return {table: table not in current or current[table].fingerprint != own for table, own in fingerprints.items()}


def record(warehouse: Warehouse, kind: Kind, fingerprints: Mapping[str, str]) -> None:
    """Record the current definitions of tables; the caller commits.

    :param fingerprints: the definitions by table.
    """
    known = recorded(warehouse, kind, fingerprints)
    versions = {
        table: 1 + max((item.version for item in known if item.table == table), default=0) for table in fingerprints
    }
    warehouse.script(
        render(
            "record_definitions",
            kind=kind,
            fingerprints=fingerprints,
            versions=versions,
            recorded_at=predicates.literal(datetime.now(UTC)),
        )
    )


def update(warehouse: Warehouse, kind: Kind, fingerprints: Mapping[str, str]) -> None:
    """Record the definitions that are not the current ones yet; the caller commits.

    :param fingerprints: the definitions by table.
    """
    outdated = is_outdated(warehouse, kind, fingerprints, newest=True)
    if new := {table: fingerprints[table] for table in fingerprints if outdated[table]}:
        record(warehouse, kind, new)


def forget(warehouse: Warehouse, tables: Collection[str]) -> None:
    """Mark the rows of tables as outdated, so that the next load rebuilds them; the caller commits."""
    warehouse.script(render("forget_definitions", tables=sorted(tables)))


def columns(
    warehouse: Warehouse, table: str, select: str, computed: Collection[str] = (), images: str | None = None
) -> tuple[list[str], list[str]]:
    """Return the columns of a table, which must be those of its SELECT, and those of another table.

    :param select: returns candidates for the table's rows.
    :param computed: columns of the table that the load computes; they are not returned.
    :param images: the other table; None without one.
    :raises WarehouseError: if they differ. Nothing is loaded then.
    """
    names, _ = warehouse.table(
        f"SELECT {table}.*, 0 AS end_of_table, candidates.*, 0 AS end_of_select{', images.*' if images else ''}\n"
        f"FROM {table} CROSS JOIN (\n{select}\n) AS candidates"
        f"{f' CROSS JOIN {images} AS images' if images else ''}\nWHERE 1 = 0 LIMIT 0"
    )
    end, start = names.index("end_of_table"), names.index("end_of_select")
    declared = [name for name in names[:end] if name not in computed]
    agree(table, declared, names[end + 1 : start])
    return declared, names[start + 1 :]


def agree(table: str, declared: Sequence[str], selected: Sequence[str]) -> None:
    """Fail if a table and its SELECT have different columns.

    :raises WarehouseError: with the columns.
    """
    from sparkify.warehouse import WarehouseError

    missing = [name for name in declared if name not in selected]
    unknown = [name for name in selected if name not in declared]
    if missing or unknown:
        raise WarehouseError(
            f"The columns of {table} and of its SELECT differ. Nothing was loaded."
            + (f" Only in the table: {', '.join(missing)}." if missing else "")
            + (f" Only in the SELECT: {', '.join(unknown)}." if unknown else "")
            + " Declare each column in the table's DDL, and select it under the same name.",
            terminal=True,
        )
