"""The data dictionary: the declared tables and columns with their descriptions, types and lineage."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sparkify.schema.descriptions import describe
from sparkify.sql import templates
from sparkify.sql.sources import column_sources
from sparkify.warehouse import ddl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DictionaryColumn:
    """A declared column.

    :param type: in Redshift's dialect: ``VARCHAR(32)``.
    :param description: empty without one.
    :param unit: of its values; None if they have none.
    :param is_personal: whether its values are personal data.
    :param sources: the columns that it is computed from: ``staging_events.userid``; empty if it is not loaded by a
        SELECT.
    """

    name: str
    type: str
    description: str
    unit: str | None
    is_personal: bool
    sources: Sequence[str]


@dataclass(frozen=True)
class DictionaryTable:
    """A declared table.

    :param description: empty without one.
    :param sources: the tables that its columns are computed from.
    """

    name: str
    description: str
    columns: Sequence[DictionaryColumn]
    sources: Sequence[str]


def read(sql: Path) -> list[DictionaryTable]:
    """Return the declared tables: those of the warehouse, then the bookkeeping tables, each sorted by name.

    The lineage of a table is that of the SELECT ``load/<table>.sql``.

    :param sql: the folder with ``ddl`` and ``load``.
    :raises DdlError: if a file of DDL is invalid.
    """
    declared = {statement: table for statement, table in ddl.read(sql / "ddl").items() if table}
    types = {table.name: table.types for table in declared.values()}
    found = []
    for statement, table in declared.items():
        described, columns = describe(statement)
        sources = _sources(sql, table.name, types)
        found.append(
            DictionaryTable(
                table.name,
                described.text if described else "",
                [
                    DictionaryColumn(
                        name,
                        definition.kind.sql("redshift") if definition.kind else "",
                        columns[name].text if name in columns else "",
                        columns[name].unit if name in columns else None,
                        name in columns and columns[name].is_personal,
                        [f"{source}.{column}" for source, column in sources.get(name, [])],
                    )
                    for name, definition in table.definitions.items()
                ],
                sorted({source for of_column in sources.values() for source, _ in of_column}),
            )
        )
    return sorted(found, key=lambda table: (table.name.startswith(f"{ddl.BOOKKEEPING}."), table.name))


def _sources(sql: Path, table: str, types: Mapping[str, Mapping[str, str]]) -> dict[str, list[tuple[str, str]]]:
    """Return the source columns of each column of a table; empty if no SELECT loads it, or they are unknown."""
    if not (sql / "load" / f"{table}.sql").is_file():
        return {}
    try:
        select = templates.renderer(sql)(f"load/{table}", scope=lambda *columns, **keys: "TRUE")
        return column_sources(select, types, types[table])
    except Exception as error:  # noqa: BLE001 - an invalid SELECT must not hide the descriptions
        log.warning("Column lineage cannot be determined: table=%s error=%s", table, error)
        return {}
