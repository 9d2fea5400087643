"""The declared tables of the warehouse, read from a folder of DDL."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from sparkify.sql.scripts import statements

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sqlglot import exp

# The file whose tables keep their rows if all tables are dropped and recreated.
HISTORY = "history.sql"
# The schema of the bookkeeping tables.
BOOKKEEPING = "operations"
# Audit columns follow a table's own columns. They begin with the first of these names.
AUDIT = ("interval_time", "batch_id", "row_version")


class DdlError(Exception):
    """A file of DDL is invalid; the message has the file, the expected and the actual statement."""


@dataclass(frozen=True)
class Table:
    """A declared table.

    :param name: ``users``, ``operations.staged_objects``.
    :param definitions: the definitions of its columns by name, in order.
    :param keeps_rows: whether it is not dropped if all tables are recreated.
    """

    name: str
    definitions: Mapping[str, exp.ColumnDef]
    keeps_rows: bool

    @property
    def types(self) -> dict[str, str]:
        """The types of its columns by name, in order."""
        return {name: column.kind.this.name for name, column in self.definitions.items() if column.kind}

    @property
    def required(self) -> list[str]:
        """Its columns that are NOT NULL and have no DEFAULT."""
        from sqlglot import exp

        return [
            name
            for name, column in self.definitions.items()
            if column.find(exp.NotNullColumnConstraint, exp.PrimaryKeyColumnConstraint)
            and not column.find(exp.DefaultColumnConstraint)
        ]

    @property
    def is_bookkeeping(self) -> bool:
        """Whether it is a bookkeeping table."""
        return self.name.startswith(f"{BOOKKEEPING}.")

    @property
    def columns(self) -> list[str]:
        """Its columns without the audit columns."""
        names = list(self.definitions)
        return names[: min((names.index(name) for name in AUDIT if name in names), default=len(names))]

    @property
    def time(self) -> str | None:
        """The column with the timestamp of a row: its first TIMESTAMP; None without one."""
        return next((name for name, kind in self.types.items() if kind == "TIMESTAMP"), None)


@dataclass(frozen=True, eq=False)
class Statement:
    """A statement of DDL.

    :param sql: its text.
    :param tree: its syntax tree.
    :param where: its file and line.
    """

    sql: str
    tree: exp.Expr
    where: str

    @cached_property
    def creates(self) -> str | None:
        """The schema, table or index that it creates if it is missing; None for other statements."""
        from sqlglot import exp

        if not isinstance(self.tree, exp.Create) or not self.tree.args.get("exists"):
            return None
        if self.tree.kind == "INDEX":
            return str(self.tree.this.name).lower()
        table = self.tree.find(exp.Table)
        return ".".join(part.name.lower() for part in table.parts) if table else None

    @property
    def kind(self) -> str:
        """``TABLE``, ``SCHEMA``, ``INDEX``; empty if it creates nothing."""
        return str(self.tree.args.get("kind") or "") if self.creates else ""


def parse(sql: str, file: str) -> list[Statement]:
    """Return the statements of a script.

    :param sql: Redshift's dialect.
    :param file: the name of the script, for errors.
    :raises DdlError: if it cannot be parsed, or a CREATE TABLE lacks IF NOT EXISTS.
    """
    import sqlglot
    from sqlglot import exp

    found = []
    at = 0
    for text in statements(sql):
        at = sql.index(text, at)
        where = f"{file} line {sql.count(chr(10), 0, at) + 1}"
        try:
            where = f"{file} line {sql.count(chr(10), 0, at) + sqlglot.tokenize(text, read='redshift')[0].line}"
            statement = Statement(text, sqlglot.parse_one(text, read="redshift"), where)
        except sqlglot.errors.SqlglotError as error:
            reason = " ".join(str(error).partition("\n")[0].split())
            raise DdlError(
                f"{where}: invalid DDL: {reason} Write keys behind the columns: DISTKEY (column), SORTKEY (column)."
            ) from None
        if isinstance(statement.tree, exp.Create) and statement.tree.kind == "TABLE" and not statement.creates:
            raise DdlError(f"{where}: expected CREATE TABLE IF NOT EXISTS: each run executes the file.")
        found.append(statement)
    return found


def read(*folders: Path) -> dict[Statement, Table | None]:
    """Return the statements of the .sql files below folders, each with the table that it creates, if it creates one.

    Schemas come first, then tables, then other statements, each sorted by the names of their files.

    :raises DdlError: if a file is invalid, or a table is declared twice; see also :func:`parse`.
    """
    order = ["SCHEMA", "TABLE"]
    found: dict[Statement, Table | None] = {}
    places: dict[str, str] = {}
    for path in sorted(path for folder in folders for path in folder.rglob("*.sql")):
        for statement in parse(path.read_text(encoding="utf-8"), path.name):
            table = _table(statement, keeps_rows=path.name == HISTORY)
            if table and (other := places.setdefault(table.name, statement.where)) != statement.where:
                raise DdlError(
                    f"{statement.where}: {other} declares the table {table.name} too; delete one of the two."
                )
            found[statement] = table
    if not found:
        raise DdlError(f"No file of DDL (*.sql) in {', '.join(map(str, folders))}.")
    rank = {statement: order.index(statement.kind) if statement.kind in order else len(order) for statement in found}
    return {statement: found[statement] for statement in sorted(found, key=rank.__getitem__)}


def tables(folder: Path) -> list[Table]:
    """Return the tables that a folder of DDL declares, without the bookkeeping tables, sorted by name.

    :raises DdlError: see :func:`read`.
    """
    declared = [table for table in read(folder).values() if table and not table.is_bookkeeping]
    return sorted(declared, key=lambda table: table.name)


def _table(statement: Statement, *, keeps_rows: bool) -> Table | None:
    from sqlglot import exp

    if statement.kind != "TABLE" or statement.creates is None:
        return None
    columns = {column.name.lower(): column for column in statement.tree.find_all(exp.ColumnDef) if column.kind}
    return Table(statement.creates, columns, keeps_rows)
