"""Compare declared columns with those of the catalogue."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlglot import exp

    from sparkify.warehouse.catalogue import Column

# The lengths of VARCHAR(MAX) and CHAR(MAX). https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
_MAX = {"VARCHAR": 65_535, "CHAR": 4_096}


def type_of(column: exp.ColumnDef) -> exp.DataType:
    """Return the declared type, with the length of MAX as a number."""
    from sqlglot import exp

    kind = column.kind
    assert kind is not None
    if [str(item.this).upper() for item in kind.expressions] == ["MAX"]:
        return exp.DataType.build(f"{kind.this.name}({_MAX[kind.this.name]})", dialect="redshift")
    return kind


def same_type(declared: exp.DataType, found: exp.DataType) -> bool:
    """Return whether two types are equal; a length that is not declared is the database's default."""
    return declared == found or (not declared.expressions and declared.this == found.this)


def found_type(column: Column) -> exp.DataType:
    """Return the type of an existing column."""
    return _parsed(column.type)


@cache
def _parsed(kind: str) -> exp.DataType:
    from sqlglot import exp

    return exp.DataType.build(kind, dialect="redshift")


def length_of(kind: exp.DataType) -> int | None:
    """Return the length of a VARCHAR; None for other types, and without a length."""
    if kind.this.name != "VARCHAR" or not kind.expressions:
        return None
    return int(kind.expressions[0].name)


def constraint(column: exp.ColumnDef, kind: type[exp.Expr]) -> Any:
    """Return a declared column's constraint of a kind; None without one."""
    return next((item.kind for item in column.constraints if isinstance(item.kind, kind)), None)


def default_of(column: exp.ColumnDef) -> Any:
    """Return the value of the declared DEFAULT, see :func:`value_of`; None without one."""
    from sqlglot import exp

    default = constraint(column, exp.DefaultColumnConstraint)
    return value_of(default.this) if default else None


def found_default(column: Column) -> Any:
    """Return the value of an existing column's DEFAULT, see :func:`value_of`; None without one."""
    return _default(column.default) if column.default else None


@cache
def _default(expression: str) -> Any:
    from sqlglot import parse_one

    return value_of(parse_one(expression, read="redshift"))


def value_of(expression: exp.Expr) -> Any:
    """Return a value that is equal for equal defaults, however the database formats them.

    ``'1970-01-01'`` and ``'1970-01-01 00:00:00'::timestamp`` are equal, as are ``0`` and ``'0'::bigint``. Expressions
    that are not a literal are compared by their text.
    """
    from sqlglot import exp

    while isinstance(expression, exp.Cast | exp.Paren):
        expression = expression.this
    if isinstance(expression, exp.Null):
        return None
    if isinstance(expression, exp.Boolean):
        return bool(expression.this)
    if isinstance(expression, exp.Literal | exp.Neg):
        text = expression.name if isinstance(expression, exp.Literal) else f"-{expression.this.name}"
        for read in (Decimal, datetime.fromisoformat):
            try:
                return read(text)
            except (ValueError, InvalidOperation):
                continue
        return text
    return expression.sql("redshift").upper()
