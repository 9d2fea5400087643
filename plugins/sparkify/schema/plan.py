"""The plan of a schema change: what the DDL declares and the catalogue does not have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sparkify.warehouse.ddl import DdlError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sparkify.warehouse.ddl import Statement, Table


@dataclass(frozen=True)
class NewColumn:
    """A declared column that an existing table does not have.

    :param table: the table.
    :param definition: the column's definition, in Redshift's dialect.
    """

    table: str
    definition: str

    @property
    def sql(self) -> str:
        """The statement that adds it; Redshift adds one column per statement.

        https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html
        """
        return f"ALTER TABLE {self.table} ADD COLUMN {self.definition}"


@dataclass(frozen=True)
class Plan:
    """The changes that bring the catalogue up to date with the DDL.

    :param create: statements whose objects are missing.
    :param add: columns that existing tables do not have.
    :param undeclared: columns of existing tables that the DDL does not declare; they are kept.
    """

    create: Sequence[Statement]
    add: Sequence[NewColumn]
    undeclared: Sequence[str]

    @property
    def altered(self) -> list[str]:
        """The tables to alter."""
        return sorted({column.table for column in self.add})

    @property
    def statements(self) -> list[str]:
        """Its SQL, in the order of execution."""
        return [*(item.sql for item in self.create), *(column.sql for column in self.add)]


def compare(declared: Mapping[Statement, Table | None], found: Mapping[str, Sequence[str]]) -> Plan:
    """Return the plan.

    :param declared: the statements of the DDL, each with the table that it creates, if it creates one.
    :param found: the columns of the existing tables and indexes.
    :raises DdlError: if a column cannot be added.
    """
    schemas = {name.partition(".")[0] for name in found if "." in name}
    create = [item for item in declared if item.creates not in found and item.creates not in schemas]
    add: list[NewColumn] = []
    undeclared: list[str] = []
    for statement, table in declared.items():
        if table is None or table.name not in found:
            continue
        for column, definition in table.definitions.items():
            if column in found[table.name]:
                continue
            if column in table.required:
                raise DdlError(
                    f"{statement.where}: the column {column} is new to the existing table {table.name}, and NOT NULL "
                    "without a DEFAULT: the table's rows would have no value. Declare a DEFAULT, or allow NULL."
                )
            add.append(NewColumn(table.name, definition.sql("redshift", comments=False)))
        undeclared += [f"{table.name}.{column}" for column in found[table.name] if column not in table.definitions]
    return Plan(create, add, undeclared)
