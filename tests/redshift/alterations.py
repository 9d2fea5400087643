"""ALTER TABLE that Redshift refuses and PostgreSQL accepts.

https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html, "the page" below.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlglot import exp

from tests.redshift import catalogue
from tests.redshift.wire import ServerError

if TYPE_CHECKING:
    import psycopg

# The longest name, in bytes: https://docs.aws.amazon.com/redshift/latest/dg/r_names.html
_NAME = 127
# The longest VARCHAR, in bytes: https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
_VARCHAR = 65_535
# The encodings of columns that cannot be altered.
_FIXED = {"BYTEDICT", "RUNLENGTH", "TEXT255", "TEXT32K"}
# Clauses of PostgreSQL's grammar only: RENAME a TO b, ALTER a TYPE, each without COLUMN.
_WITHOUT_COLUMN = re.compile(
    r"\bRENAME\s+(?!TO\b|COLUMN\b)|"
    r"\bALTER\s+(?!TABLE\b|COLUMN\b|DISTKEY\b|DISTSTYLE\b|(COMPOUND\s+)?SORTKEY\b|ENCODE\b)",
    re.IGNORECASE,
)
_DISTSTYLE_KEY = re.compile(r"\bALTER\s+DISTSTYLE\s+KEY\b", re.IGNORECASE)
_COLUMN_CONSTRAINTS = {
    exp.UniqueColumnConstraint: "UNIQUE",
    exp.PrimaryKeyColumnConstraint: "PRIMARY KEY",
    exp.Reference: "REFERENCES",
    exp.GeneratedAsIdentityColumnConstraint: "IDENTITY",
}


def refusal(sql: str) -> str:
    """Return the reason why Redshift refuses a CREATE TABLE or ALTER TABLE, by its text; empty if none is known.

    The page has the grammar: one clause, or one of the documented combinations, without IF EXISTS and ONLY.
    """
    tree = catalogue.definition(sql)
    if tree is None:
        return ""
    for name in tree.find_all(exp.Identifier):
        if len(name.name.encode()) > _NAME:
            return f"{name.name[:20]}... exceeds {_NAME} bytes: Redshift would truncate the name."
    if isinstance(tree, exp.Create):
        return ""
    if tree.args.get("exists") or tree.args.get("only"):
        return "ALTER TABLE does not support IF EXISTS and ONLY"
    if _WITHOUT_COLUMN.search(sql):
        return "expected RENAME COLUMN, ALTER COLUMN"
    actions = tree.args["actions"]
    if len(actions) > 1 and not (_can_combine(actions) and not _DISTSTYLE_KEY.search(sql)):
        return "ALTER TABLE supports one clause, or one SORTKEY with one DISTKEY or DISTSTYLE ALL"
    for action in actions:
        if isinstance(action, exp.ColumnDef) and (reason := _cannot_add(action)):
            return reason
        if isinstance(action, exp.AlterColumn) and (reason := _cannot_resize(action)):
            return reason
    return ""


def _can_combine(actions: list[exp.Expr]) -> bool:
    """Return whether clauses are one of the page's combinations."""
    sort = [action for action in actions if isinstance(action, exp.AlterSortKey) and action.expressions]
    distribute = [action for action in actions if isinstance(action, exp.AlterDistStyle)]
    return (
        len(sort) == len(distribute) == 1
        and len(actions) == 2
        and (isinstance(distribute[0].this, exp.Column) or distribute[0].this.name.upper() == "ALL")
    )


def _cannot_add(column: exp.ColumnDef) -> str:
    """Return why a column cannot be added: its constraints, or no value for the table's rows.

    The page lists the constraints. A column that is NOT NULL needs a default for the existing rows.
    """
    for kind, name in _COLUMN_CONSTRAINTS.items():
        if column.find(kind):
            return f"ALTER TABLE ADD COLUMN does not support {name}"
    default = column.find(exp.DefaultColumnConstraint)
    if any(not item.args.get("allow_null") for item in column.find_all(exp.NotNullColumnConstraint)) and (
        default is None or isinstance(default.this, exp.Null)
    ):
        return "ALTER TABLE ADD COLUMN defined as NOT NULL must have a non-null default expression"
    return ""


def _cannot_resize(column: exp.AlterColumn) -> str:
    """Return why a type is not valid: the page allows to change the size of a VARCHAR only."""
    kind = column.args.get("dtype")
    if kind is None or not kind.is_type(exp.DType.VARCHAR):
        return "ALTER COLUMN supports TYPE VARCHAR(n) only"
    return ""


def _size(kind: exp.Expr) -> int:
    """Return the bytes of a VARCHAR; the default is 256.

    https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
    """
    size = kind.expressions[0].name if kind.expressions else "256"
    return _VARCHAR if size.upper() == "MAX" else int(size)


class _Column(NamedTuple):
    """A column in the catalogue.

    :param is_resizable: whether it is a VARCHAR.
    :param is_constrained: whether a UNIQUE, PRIMARY KEY or FOREIGN KEY includes it.
    :param is_key: whether it is a distribution or sort key.
    :param is_last: whether the table has no other.
    """

    is_resizable: bool
    has_default: bool
    is_nullable: bool
    is_constrained: bool
    is_key: bool
    is_last: bool
    encoding: str


_COLUMN = """
    SELECT
        atttypid = 'varchar'::regtype, atthasdef, NOT attnotnull,
        EXISTS (
            SELECT 1 FROM pg_constraint
            WHERE contype IN ('p', 'u', 'f') AND (
                (conrelid = attrelid AND attnum = ANY(conkey)) OR (confrelid = attrelid AND attnum = ANY(confkey)))
        ),
        attisdistkey OR attsortkeyord <> 0,
        NOT EXISTS (
            SELECT 1 FROM pg_catalog.pg_attribute AS others
            WHERE others.attrelid = columns.attrelid AND others.attnum > 0 AND NOT others.attisdropped
            AND others.attnum <> columns.attnum
        ),
        COALESCE((SELECT encoding FROM endpoint.column_keys AS keys
            WHERE relation = attrelid AND keys.attnum = columns.attnum), '')
    FROM endpoint.pg_attribute AS columns
    WHERE attrelid = %s AND attname = %s AND attnum > 0 AND NOT attisdropped
"""


def check(connection: psycopg.Connection[Any], tree: exp.Expr | None, *, in_transaction: bool) -> None:
    """Check an ALTER TABLE against the catalogue, the rows and the transaction.

    :param tree: its syntax tree.
    :param in_transaction: whether the client has begun a transaction.
    :raises ServerError: if Redshift refuses it.
    """
    if not isinstance(tree, exp.Alter) or (table := catalogue.oid(connection, tree)) is None:
        return  # PostgreSQL reports a missing table
    for action in tree.args["actions"]:
        if isinstance(action, exp.AlterColumn):
            if in_transaction:
                raise ServerError("25001", "ALTER TABLE ALTER COLUMN cannot run inside a transaction block")
            _check_resize(connection, tree, _column(connection, table, action.name), action)
        elif isinstance(action, exp.Drop) and action.args["kind"] == "COLUMN":
            _check_drop(_column(connection, table, _dropped(action)), action)
        elif isinstance(action, exp.AddConstraint) and (key := action.find(exp.PrimaryKey)):
            for column in key.expressions:
                if _column(connection, table, column.name).is_nullable:
                    raise ServerError("42P16", f'PRIMARY KEY on the nullable column "{column.name}"')
        elif isinstance(action, exp.AlterDistStyle | exp.AlterSortKey):
            _check_keys(connection, table, action)


def _column(connection: psycopg.Connection[Any], table: int, name: str) -> _Column:
    row = connection.execute(_COLUMN, [table, name.lower()]).fetchone()
    if row is None:
        raise ServerError("42703", f'column "{name}" does not exist')
    return _Column(*row)


def _check_resize(
    connection: psycopg.Connection[Any], tree: exp.Alter, column: _Column, action: exp.AlterColumn
) -> None:
    """Check ALTER COLUMN TYPE: the page lists the columns that cannot be altered, and the smallest size."""
    reason = (
        "it is not a VARCHAR"
        if not column.is_resizable
        else "it has a default value"
        if column.has_default
        else "it has a UNIQUE, PRIMARY KEY or FOREIGN KEY"
        if column.is_constrained
        else f"its encoding is {column.encoding}"
        if column.encoding in _FIXED
        else ""
    )
    if reason:
        raise ServerError("0A000", f'cannot alter type of column "{action.name}": {reason}')
    size = _size(action.args["dtype"])
    longest = connection.execute(f"SELECT MAX(OCTET_LENGTH({action.this})) FROM {tree.this}").fetchone()
    if longest and longest[0] is not None and longest[0] > size:
        raise ServerError("0A000", f'cannot alter column "{action.name}" to {size} bytes: it has {longest[0]}')


def _check_drop(column: _Column, action: exp.Drop) -> None:
    """Check DROP COLUMN: neither a key nor the last column; without CASCADE, no dependent constraint."""
    name = _dropped(action)
    if column.is_key:
        raise ServerError("0A000", f'cannot drop distkey or sortkey column "{name}"')
    if column.is_last:
        raise ServerError("0A000", f'cannot drop the last column "{name}"')
    if column.is_constrained and not action.args.get("cascade"):
        raise ServerError("2BP01", f'cannot drop column "{name}" because other objects depend on it')


def _dropped(action: exp.Drop) -> str:
    (column,) = action.find_all(exp.Column)
    return column.name


def _check_keys(connection: psycopg.Connection[Any], table: int, action: exp.Expr) -> None:
    """Check ALTER DISTSTYLE, DISTKEY and SORTKEY: of columns of the table; no distribution of a temporary table."""
    row = connection.execute("SELECT relpersistence = 't' FROM pg_class WHERE oid = %s", [table]).fetchone()
    if isinstance(action, exp.AlterDistStyle) and row and row[0]:
        raise ServerError("0A000", "ALTER DISTSTYLE does not support temporary tables")
    keys = [action.this] if isinstance(action.this, exp.Column) else action.expressions
    for key in keys:
        _column(connection, table, key.name)
