"""The target of a COPY: a table and its columns, from the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import sql

from sparkify.warehouse.copy_result import CopyFailedError

if TYPE_CHECKING:
    import psycopg

    from sparkify.warehouse.postgres.copy.command import CopyCommand

# The names of types in PostgreSQL and in STL_LOAD_ERRORS.
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
    SELECT c.oid::bigint, c.relkind,
        a.attname, t.typname, a.atttypmod, a.attnotnull, a.attidentity, a.attgenerated <> ''
    FROM pg_catalog.pg_class AS c
    LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
    WHERE c.oid = to_regclass(%s)
    ORDER BY a.attnum
"""


@dataclass(frozen=True)
class Column:
    """One column to load.

    :param name: its name in the catalogue.
    :param type: its type as in STL_LOAD_ERRORS: ``varchar``, ``int4``, ``timestamp`` ...
    :param size: length of a ``varchar`` or ``char`` in bytes; 0 for other types.
    :param precision: digits of a ``numeric``; 0 for other types.
    :param scale: its digits after the decimal point.
    :param not_null: whether it is NOT NULL.
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
class CopyTarget:
    """The target of a COPY.

    :param oid: its id in the catalogue, for ``stl_load_errors.tbl``.
    :param name: its name, qualified as in the statement.
    :param columns: the columns to load, in the order of the column list or of the table.
    """

    oid: int
    name: sql.Identifier
    columns: tuple[Column, ...]


def find_target(connection: psycopg.Connection[Any], command: CopyCommand) -> CopyTarget:
    """Return the table that a COPY loads; it may be a temporary table of the session.

    :raises CopyFailedError: if the table or a listed column does not exist or cannot be loaded.
    """
    parts = [part for part in (command.schema, command.table) if part is not None]
    name = sql.Identifier(*parts)
    shown = ".".join(parts)
    with connection.cursor() as cursor:
        found = cursor.execute(_COLUMNS, [name.as_string(connection)]).fetchall()
    if not found:
        raise CopyFailedError(f'Cannot COPY: relation "{shown}" does not exist; create it first.')
    oid, kind = found[0][:2]
    if kind not in ("r", "p"):
        raise CopyFailedError(f'Cannot COPY into "{shown}": it is not a table.')
    rows = [row[2:] for row in found if row[2] is not None]
    known = {row[0]: row for row in rows}
    for column in command.columns:
        if column not in known:
            raise CopyFailedError(f'Cannot COPY: column "{column}" of relation "{shown}" does not exist.')
        if known[column][4] == "a" or known[column][5]:
            # Redshift requires EXPLICIT_IDS for it ("Column mapping options"), which this engine does not support.
            raise CopyFailedError(f'Cannot COPY: column "{column}" of "{shown}" is generated; remove it from the list.')
    # Without a list, identity columns are omitted ("Column mapping options"); PostgreSQL then generates them.
    chosen = command.columns or [row[0] for row in rows if not row[4] and not row[5]]
    if not chosen:
        raise CopyFailedError(f'Cannot COPY into "{shown}": it has no column to load.')
    return CopyTarget(oid, name, tuple(_column(known[column], shown) for column in chosen))


def _column(row: tuple[Any, ...], table: str) -> Column:
    name, typname, modifier, not_null = row[:4]
    if typname not in _TYPES:
        raise CopyFailedError(
            f'Cannot COPY into "{table}": column "{name}" has type {typname}, which the local engine does not support; '
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
