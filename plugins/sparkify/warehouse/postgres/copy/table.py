"""The table a COPY loads, as the catalog describes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import sql

from sparkify.warehouse.postgres.copy.errors import CopyError

if TYPE_CHECKING:
    import psycopg

    from sparkify.warehouse.postgres.copy.command import CopyCommand

# PostgreSQL's name of a type -> the name STL_LOAD_ERRORS uses.
_TYPES = {
    "int2": "int2",
    "int4": "int4",
    "int8": "int8",
    "numeric": "numeric",
    "float4": "float4",
    "float8": "float8",
    "bool": "bool",
    "bpchar": "char",
    "varchar": "varchar",
    "text": "varchar",
    "date": "date",
    "timestamp": "timestamp",
    "timestamptz": "timestamptz",
}
# A type without a length is unlimited in PostgreSQL, but not in Redshift: VARCHAR and TEXT are VARCHAR(256) and
# CHAR is CHAR(1) ("Character types"), NUMERIC is NUMERIC(18, 0) ("Numeric types").
_DEFAULT_BYTES = {"varchar": 256, "char": 1}
_DEFAULT_NUMERIC = (18, 0)
_HEADER = 4  # PostgreSQL adds its length word to the modifiers of varchar, char and numeric

_COLUMNS = """
    SELECT a.attname, t.typname, a.atttypmod, a.attnotnull, a.attidentity, a.attgenerated <> ''
    FROM pg_catalog.pg_attribute AS a
    JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
    WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum
"""


@dataclass(frozen=True)
class Column:
    """One column to load.

    :param name: as the catalog has it.
    :param type: as STL_LOAD_ERRORS names it: ``varchar``, ``int4``, ``timestamp`` ...
    :param size: the bytes a ``varchar`` or ``char`` holds; 0 for other types.
    :param precision: the digits of a ``numeric``; 0 for other types.
    :param scale: its digits after the point.
    :param not_null: whether NULL is refused.
    """

    name: str
    type: str
    size: int = 0
    precision: int = 0
    scale: int = 0
    not_null: bool = False

    @property
    def length(self) -> str:
        """The declared length in the format of STL_LOAD_ERRORS; empty if the type has none."""
        if self.type == "numeric":
            return f"{self.precision}, {self.scale}"
        return str(self.size) if self.size else ""


@dataclass(frozen=True)
class Table:
    """The target of a COPY.

    :param oid: its id in the catalog, which ``stl_load_errors.tbl`` repeats.
    :param name: its name, qualified as in the statement.
    :param columns: the columns to load, in the order of the column list or of the table.
    """

    oid: int
    name: sql.Identifier
    columns: tuple[Column, ...]


def describe(connection: psycopg.Connection[Any], command: CopyCommand) -> Table:
    """Find the table a COPY loads; a temporary table of this session is found too.

    :raises CopyError: if the table or a listed column does not exist or cannot be loaded.
    """
    parts = [part for part in (command.schema, command.table) if part is not None]
    name = sql.Identifier(*parts)
    shown = ".".join(parts)
    with connection.cursor() as cursor:
        found = cursor.execute(
            "SELECT oid::bigint, relkind FROM pg_catalog.pg_class WHERE oid = to_regclass(%s)",
            [name.as_string(connection)],
        ).fetchone()
        if found is None:
            raise CopyError(f'Cannot COPY: relation "{shown}" does not exist; create it first.')
        oid, kind = found
        if kind not in ("r", "p"):
            raise CopyError(f'Cannot COPY into "{shown}": it is not a table.')
        rows = cursor.execute(_COLUMNS, [oid]).fetchall()
    catalog = {row[0]: row for row in rows}
    for column in command.columns:
        if column not in catalog:
            raise CopyError(f'Cannot COPY: column "{column}" of relation "{shown}" does not exist.')
        if catalog[column][4] == "a" or catalog[column][5]:
            # On Redshift an IDENTITY column needs EXPLICIT_IDS ("Column mapping options"), refused here by name.
            raise CopyError(f'Cannot COPY: column "{column}" of "{shown}" is generated; leave it out of the list.')
    # Without a list, identity columns are omitted ("Column mapping options"); PostgreSQL then generates them.
    chosen = command.columns or [row[0] for row in rows if not row[4] and not row[5]]
    if not chosen:
        raise CopyError(f'Cannot COPY into "{shown}": it has no column to load.')
    return Table(oid, name, tuple(_column(catalog[column], shown) for column in chosen))


def _column(row: tuple[Any, ...], table: str) -> Column:
    name, typname, modifier, not_null = row[:4]
    if typname not in _TYPES:
        raise CopyError(
            f'Cannot COPY into "{table}": column "{name}" has type {typname}, which the local engine does not load; '
            f"supported: {', '.join(sorted(_TYPES))}."
        )
    kind = _TYPES[typname]
    size = precision = scale = 0
    if kind in _DEFAULT_BYTES:
        size = modifier - _HEADER if modifier >= _HEADER else _DEFAULT_BYTES[kind]
    elif kind == "numeric":
        precision, scale = _DEFAULT_NUMERIC
        if modifier >= _HEADER:
            precision, scale = (modifier - _HEADER) >> 16, (modifier - _HEADER) & 0x7FF
    return Column(name, kind, size, precision, scale, not_null)
