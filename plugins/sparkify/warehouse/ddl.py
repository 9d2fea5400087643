"""The declared tables and views of the warehouse, read from folders of DDL."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from graphlib import CycleError, TopologicalSorter
from pathlib import PurePath
from typing import TYPE_CHECKING

from sparkify.sql.scripts import body, command, statements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from sqlglot import exp

# The file whose tables keep their rows if all tables are dropped and recreated.
HISTORY = "history.sql"
# The folder with the views of the session's own schema. Those in another folder are in the schema of its name.
VIEWS = "views"
# The schema of the bookkeeping tables.
BOOKKEEPING = "operations"
# Audit columns follow a table's own columns. They begin with the first of these names.
AUDIT = ("interval_time", "batch_id", "row_version")
# The column by which a load orders the candidates for a row.
VERSION = "row_version"
_ORDER = {"SCHEMA": 0, "TABLE": 1}
# Redshift truncates longer names. https://docs.aws.amazon.com/redshift/latest/dg/r_names.html
MAX_NAME_BYTES = 127


class DdlError(Exception):
    """A file of DDL is invalid; the message has the file, the expected and the actual statement."""


@dataclass(frozen=True)
class Table:
    """A declared table.

    :param name: ``users``, ``operations.staged_objects``.
    :param definitions: the definitions of its columns by name, in order.
    :param keeps_rows: whether it is not dropped if all tables are recreated.
    :param tree: the syntax tree of its CREATE TABLE.
    """

    name: str
    definitions: Mapping[str, exp.ColumnDef]
    keeps_rows: bool
    tree: exp.Expr

    @property
    def types(self) -> dict[str, str]:
        """The types of its columns by name, in order."""
        return {name: column.kind.this.name for name, column in self.definitions.items() if column.kind}

    @cached_property
    def primary_key(self) -> list[str]:
        """The columns of its primary key."""
        from sqlglot import exp

        if key := self.tree.find(exp.PrimaryKey):
            return [column.name.lower() for column in key.expressions]
        return [
            name for name, column in self.definitions.items() if column.find(exp.PrimaryKeyColumnConstraint) is not None
        ]

    @property
    def sort_key(self) -> list[str]:
        """The columns of its SORTKEY; empty if it declares none."""
        from sqlglot import exp

        key = self.tree.find(exp.SortKeyProperty)
        return [column.name.lower() for column in key.this] if key else []

    @property
    def distribution(self) -> str:
        """``EVEN``, ``ALL``, ``AUTO`` or ``KEY (column)``; empty if it declares none."""
        from sqlglot import exp

        if key := self.tree.find(exp.DistKeyProperty):
            return f"KEY ({key.this.name.lower()})"
        style = self.tree.find(exp.DistStyleProperty)
        return str(style.this.name).upper() if style else ""

    @cached_property
    def fingerprint(self) -> str:
        """A hash of its DDL; comments and white space do not count."""
        return _fingerprint(self.tree)

    @property
    def is_loaded(self) -> bool:
        """Whether a SELECT loads it; otherwise files or the operators do."""
        audited = any(name in self.definitions for name in AUDIT)
        return not self.is_bookkeeping and (VERSION in self.definitions or not audited)

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
    :param place: returns the file and line of a line of its text.
    """

    sql: str
    tree: exp.Expr
    where: str
    place: Callable[[int], str]

    @cached_property
    def creates(self) -> str | None:
        """The schema, table or index that it creates if it is missing, or the view; None for other statements."""
        from sqlglot import exp

        if not isinstance(self.tree, exp.Create) or not (self.tree.args.get("exists") or self._is_view):
            return None
        if self.tree.kind == "INDEX":
            return str(self.tree.this.name).lower()
        table = self.tree.find(exp.Table)
        return _name_of(table) if table else None

    @property
    def _is_view(self) -> bool:
        from sqlglot import exp

        return self.tree.args.get("kind") == "VIEW" and self.tree.find(exp.MaterializedProperty) is None

    @cached_property
    def drops(self) -> tuple[str, str] | None:
        """The table and the column that it drops; None for other statements."""
        from sqlglot import exp

        if not isinstance(self.tree, exp.Alter) or self.tree.kind != "TABLE":
            return None
        actions = self.tree.args["actions"]
        if len(actions) != 1 or not isinstance(actions[0], exp.Drop) or actions[0].kind != "COLUMN":
            return None
        (column,) = actions[0].find_all(exp.Column)  # not by argument: versions of sqlglot name it differently
        return _name_of(self.tree.this), column.name.lower()

    @cached_property
    def index_of(self) -> str | None:
        """The table of the index that it creates; None for other statements."""
        from sqlglot import exp

        if not isinstance(self.tree, exp.Create) or self.tree.kind != "INDEX":
            return None
        return _name_of(self.tree.this.args["table"])

    @property
    def kind(self) -> str:
        """``TABLE``, ``SCHEMA``, ``INDEX``, ``VIEW``; empty if it creates nothing."""
        return str(self.tree.args.get("kind") or "") if self.creates else ""

    @cached_property
    def reads(self) -> set[str]:
        """The tables and views that the view reads; empty for other statements."""
        from sqlglot import exp

        if self.kind != "VIEW":
            return set()
        own = {cte.alias for cte in self.tree.find_all(exp.CTE)}
        return {_name_of(table) for table in self.tree.expression.find_all(exp.Table)} - own

    @cached_property
    def fingerprint(self) -> str:
        """A hash of it; comments and white space do not count."""
        return _fingerprint(self.tree)


@lru_cache(maxsize=256)  # the files rarely change, and the warehouse page reads them again and again
def parse(sql: str, file: str) -> list[Statement]:
    """Return the statements of a script.

    :param sql: Redshift's dialect.
    :param file: the name of the script, for errors.
    :raises DdlError: if it cannot be parsed, a CREATE TABLE lacks IF NOT EXISTS, an ALTER TABLE does not drop a column,
        or a name is reserved or too long.
    """
    import sqlglot
    from sqlglot import exp

    found = []
    at = 0
    for text in statements(sql):
        at = sql.index(text, at)
        place = partial(_place, file, sql.count("\n", 0, at))
        where = place(1)
        try:
            where = place(sqlglot.tokenize(text, read="redshift")[0].line)
            statement = Statement(text, sqlglot.parse_one(text, read="redshift"), where, place)
        except sqlglot.errors.SqlglotError as error:
            reason = " ".join(str(error).partition("\n")[0].split())
            raise DdlError(
                f"{where}: invalid DDL: {reason} Write keys behind the columns: DISTKEY (column), SORTKEY (column)."
            ) from None
        if isinstance(statement.tree, exp.Create) and statement.tree.kind == "TABLE" and not statement.creates:
            raise DdlError(f"{where}: expected CREATE TABLE IF NOT EXISTS: each run executes the file.")
        is_command = isinstance(statement.tree, exp.Command) and str(statement.tree.this).upper() == "ALTER"
        if (is_command or isinstance(statement.tree, exp.Alter)) and not statement.drops:
            raise DdlError(
                f"{where}: expected ALTER TABLE ... DROP COLUMN with one column. The file declares tables: for other "
                "changes, edit CREATE TABLE."
            )
        found.append(statement)
    return found


def _fingerprint(tree: exp.Expr) -> str:
    return hashlib.sha256(tree.sql("redshift", comments=False).encode()).hexdigest()


def _place(file: str, lines_before: int, line: int) -> str:
    return f"{file} line {lines_before + line}"


def _name_of(table: exp.Table) -> str:
    return ".".join(part.name.lower() for part in table.parts)


def read(*folders: Path, indexes: Iterable[str] = ()) -> dict[Statement, Table | None]:
    """Return the statements of the .sql files below folders, each with the table that it creates, if it creates one.

    A file with a SELECT declares a view, which the comment above it describes: ``metrics/plays.sql`` that of the name
    ``metrics.plays``, and its schema; ``views/weekly_retention.sql`` that of the name ``weekly_retention``.

    Schemas come first, then tables, then other statements, each sorted by the names of their files; views come last,
    after those that they read.

    :param indexes: scripts with the indexes of PostgreSQL.

    :raises DdlError: if a file is invalid, or a table is declared twice; see also :func:`parse`.
    """
    files = sorted(path for folder in folders for path in folder.rglob("*.sql"))
    if not files:
        raise DdlError(f"No file of DDL (*.sql) in {', '.join(map(str, folders))}.")
    texts = tuple((PurePath(*path.parts[-2:]), path.read_text(encoding="utf-8")) for path in files)
    return dict(_read(texts, tuple(script.rstrip() for script in indexes)))


@lru_cache(maxsize=16)
def _read(files: tuple[tuple[PurePath, str], ...], indexes: tuple[str, ...]) -> dict[Statement, Table | None]:
    found: dict[Statement, Table | None] = {}
    places: dict[str, str] = {}
    for path, text in files:
        for statement in parse(_with_view(path, text), path.name):
            table = _table(statement, keeps_rows=path.name == HISTORY)
            if statement.kind in ("TABLE", "VIEW"):
                kind, name = statement.kind.lower(), str(statement.creates)
                if name in places:
                    raise DdlError(
                        f"{statement.where}: {places[name]} declares the {kind} {name} too; delete one of the two."
                    )
                places[name] = statement.where
            found[statement] = table
    found |= {statement: None for script in indexes for statement in parse(script, "postgres_sql")}
    schemas = {item.creates for item in found if item.kind == "SCHEMA"}
    missing = {str(item.creates).rpartition(".")[0] for item in found if item.kind == "VIEW"} - {"", *schemas}
    found |= {item: None for name in sorted(missing) for item in parse(f"CREATE SCHEMA IF NOT EXISTS {name}", name)}
    first = sorted((item for item in found if item.kind != "VIEW"), key=lambda item: _ORDER.get(item.kind, len(_ORDER)))
    return {statement: found[statement] for statement in [*first, *_views(found)]}


def _with_view(path: PurePath, text: str) -> str:
    """Return the text of a file; of a SELECT, with CREATE VIEW in front of it, in the same line."""
    found = statements(text)
    if len(found) != 1 or command(text).verb not in ("SELECT", "WITH"):
        return text
    schema = "" if path.parent.name == VIEWS else f"{path.parent.name}."
    select = body(text)
    return f"{text[: text.index(select)]}CREATE VIEW {schema}{path.stem} AS {select}"


def _views(found: Iterable[Statement]) -> list[Statement]:
    """Return the views, each after those that it reads.

    :raises DdlError: if views read each other.
    """
    views = {str(statement.creates): statement for statement in found if statement.kind == "VIEW"}
    graph = {name: sorted(view.reads & views.keys()) for name, view in views.items()}
    try:
        return [views[name] for name in TopologicalSorter(graph).static_order()]
    except CycleError as error:
        raise DdlError(
            f"Views read each other: {' -> '.join(error.args[1])}. Remove one of these references."
        ) from None


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
    _check_names(statement, columns)
    return Table(statement.creates, columns, keeps_rows, statement.tree)


def _check_names(statement: Statement, columns: Mapping[str, exp.ColumnDef]) -> None:
    """Check the names of a table and its columns.

    https://docs.aws.amazon.com/redshift/latest/dg/r_pg_keywords.html

    :raises DdlError: if Redshift would reject or truncate one. PostgreSQL would accept it.
    """
    from sqlglot.dialects.redshift import Redshift

    reserved = Redshift.Generator.RESERVED_KEYWORDS
    places = {name: statement.place(column.this.meta.get("line", 1)) for name, column in columns.items()}
    for name in str(statement.creates).split("."):
        places.setdefault(name, statement.where)
    for name, where in places.items():
        if name in reserved or not name:
            raise DdlError(f"{where}: the name {name or 'of a column'} is a reserved word of Redshift; choose another.")
        if (size := len(name.encode())) > MAX_NAME_BYTES:
            raise DdlError(
                f"{where}: the name {name[:20]}... has {size} bytes; Redshift allows {MAX_NAME_BYTES}. Shorten it."
            )
