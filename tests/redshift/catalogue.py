"""Redshift's catalogue of distribution keys, sort keys and encodings, which PostgreSQL does not have.

The endpoint records them when it executes CREATE TABLE and ALTER TABLE, in the same transaction. Views with the columns
that Redshift's catalogue adds replace PostgreSQL's, see ``system.sql``.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlglot
from sqlglot import exp

from sparkify.sql import scripts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import psycopg

SYSTEM = (Path(__file__).parent / "system.sql").read_text(encoding="utf-8")

# pg_class.reldiststyle: https://docs.aws.amazon.com/redshift/latest/dg/viewing-distribution-styles.html
STYLES = {"EVEN": 0, "KEY": 1, "ALL": 8, "AUTO": 9}

_EXTENDED = re.compile(
    r"""(--[^\n]*|'(?:[^']|'')*')|\b(?:pg_catalog\.)?(pg_class|pg_attribute|pg_attrdef)\b""", re.IGNORECASE
)


def extended(sql: str) -> str:
    """Return a statement that reads the catalogue's tables with Redshift's columns.

    >>> extended("SELECT reldiststyle FROM pg_class WHERE relname = 'pg_class'")
    "SELECT reldiststyle FROM endpoint.pg_class WHERE relname = 'pg_class'"
    """
    return _EXTENDED.sub(lambda found: found[1] or f"endpoint.{found[2]}", sql)


def definition(sql: str) -> exp.Create | exp.Alter | None:
    """Return the syntax tree of a CREATE TABLE or ALTER TABLE; None of other statements, and of invalid ones."""
    if scripts.command(sql).verb not in ("CREATE TABLE", "ALTER"):
        return None
    try:
        tree = sqlglot.parse_one(sql, read="redshift")
    except sqlglot.errors.SqlglotError:
        return None
    return tree if isinstance(tree, exp.Create | exp.Alter) and tree.find(exp.Table) else None


def changes_keys_only(tree: exp.Expr) -> bool:
    """Return whether an ALTER TABLE changes what PostgreSQL does not have."""
    actions = tree.args.get("actions") or []
    return bool(actions) and all(isinstance(action, exp.AlterDistStyle | exp.AlterSortKey) for action in actions)


def oid(connection: psycopg.Connection[Any], tree: exp.Expr) -> int | None:
    """Return the oid of the table that a statement creates or alters; None if it does not exist."""
    table = tree.find(exp.Table)
    assert table is not None
    row = connection.execute("SELECT to_regclass(%s)::oid", [table.sql("postgres")]).fetchone()
    return row[0] if row else None


@contextmanager
def recorded(connection: psycopg.Connection[Any], tree: exp.Create | exp.Alter | None) -> Iterator[None]:
    """Record what the statement that is executed inside the context declares, in its transaction."""
    if tree is None:
        yield
        return
    with connection.transaction():
        before = oid(connection, tree)
        yield
        if isinstance(tree, exp.Alter):
            for action in tree.args["actions"]:
                _alter(connection, before, action)
        elif before is None:
            _create(connection, oid(connection, tree), tree)


def _create(connection: psycopg.Connection[Any], table: int | None, tree: exp.Create) -> None:
    if like := tree.find(exp.LikeProperty):
        _inherit(connection, table, like.this)
        return
    style, key, sort_key = "AUTO", "", []
    for item in tree.args["properties"].expressions if tree.args.get("properties") else []:
        if isinstance(item, exp.DistStyleProperty):
            style = item.this.name.upper()
        elif isinstance(item, exp.DistKeyProperty):
            style, key = "KEY", item.this.name
        elif isinstance(item, exp.SortKeyProperty):
            sort_key = [column.name for column in item.this]
    _distribute(connection, table, style, key)
    _sort(connection, table, sort_key)
    for column in tree.find_all(exp.ColumnDef):
        _encode(connection, table, column)


def _inherit(connection: psycopg.Connection[Any], table: int | None, source: exp.Expr) -> None:
    """Copy the keys and encodings of another table.

    https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
    """
    values = [table, source.sql("postgres")]
    connection.execute(
        "INSERT INTO endpoint.table_styles SELECT %s, style FROM endpoint.table_styles WHERE relation = %s::regclass",
        values,
    )
    connection.execute(
        "INSERT INTO endpoint.column_keys SELECT %s, columns.attnum, is_distkey, sort_position, encoding "
        "FROM endpoint.column_keys AS keys "
        "INNER JOIN pg_attribute AS sources ON keys.relation = sources.attrelid AND keys.attnum = sources.attnum "
        "INNER JOIN pg_attribute AS columns ON sources.attname = columns.attname "
        "WHERE columns.attrelid = %s AND keys.relation = %s::regclass",
        [table, *values],
    )


def _alter(connection: psycopg.Connection[Any], table: int | None, action: exp.Expr) -> None:
    if isinstance(action, exp.AlterDistStyle):
        if isinstance(action.this, exp.Column):
            _distribute(connection, table, "KEY", action.this.name)
        else:
            _distribute(connection, table, action.this.name.upper())
    elif isinstance(action, exp.AlterSortKey) and action.this is None:
        _sort(connection, table, [column.name for column in action.expressions])
    elif isinstance(action, exp.AlterSortKey) and action.this.name.upper() == "NONE":  # AUTO preserves the key
        _sort(connection, table, [])
    elif isinstance(action, exp.ColumnDef):
        _encode(connection, table, action)


def _distribute(connection: psycopg.Connection[Any], table: int | None, style: str, key: str = "") -> None:
    connection.execute(
        "INSERT INTO endpoint.table_styles VALUES (%s, %s) ON CONFLICT (relation) DO UPDATE SET style = EXCLUDED.style",
        [table, STYLES[style]],
    )
    connection.execute("UPDATE endpoint.column_keys SET is_distkey = FALSE WHERE relation = %s", [table])
    if key:
        _set(connection, table, key, "is_distkey", value=True)


def _sort(connection: psycopg.Connection[Any], table: int | None, columns: Sequence[str]) -> None:
    connection.execute("UPDATE endpoint.column_keys SET sort_position = 0 WHERE relation = %s", [table])
    for position, column in enumerate(columns, start=1):
        _set(connection, table, column, "sort_position", value=position)


def _encode(connection: psycopg.Connection[Any], table: int | None, column: exp.ColumnDef) -> None:
    if constraint := column.find(exp.EncodeColumnConstraint):
        _set(connection, table, column.name, "encoding", value=constraint.this.name.upper())


def _set(connection: psycopg.Connection[Any], table: int | None, column: str, field: str, *, value: object) -> None:
    connection.execute(
        f"INSERT INTO endpoint.column_keys (relation, attnum, {field}) SELECT attrelid, attnum, %s "
        "FROM pg_attribute WHERE attrelid = %s AND attname = %s "
        f"ON CONFLICT (relation, attnum) DO UPDATE SET {field} = EXCLUDED.{field}",
        [value, table, column.lower()],
    )
