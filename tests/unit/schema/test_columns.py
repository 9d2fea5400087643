"""Declared types and defaults equal those that the catalogue formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlglot
from sqlglot import exp

from sparkify.schema.columns import default_of, found_default, found_type, length_of, same_type, type_of
from sparkify.warehouse.catalogue import Column

if TYPE_CHECKING:
    from sqlglot.expressions import ColumnDef


def column(text: str) -> ColumnDef:
    """Return the definition of a column."""
    found = sqlglot.parse_one(f"CREATE TABLE t (c {text})", read="redshift").find(exp.ColumnDef)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("declared", "found", "same"),
    [
        ("VARCHAR(32)", "character varying(32)", True),
        ("VARCHAR(32)", "character varying(33)", False),
        ("VARCHAR(MAX)", "character varying(65535)", True),
        ("VARCHAR", "character varying(256)", True),
        ("CHAR(3)", "character(3)", True),
        ("TIMESTAMP", "timestamp without time zone", True),
        ("TIMESTAMPTZ", "timestamp without time zone", False),
        ("INTEGER", "integer", True),
        ("INT8", "bigint", True),
        ("INTEGER", "bigint", False),
        ("FLOAT8", "double precision", True),
        ("REAL", "double precision", False),
        ("DECIMAL(18, 2)", "numeric(18,2)", True),
        ("DECIMAL(18, 2)", "numeric(18,3)", False),
        ("BOOLEAN", "boolean", True),
        ("SUPER", "super", True),
    ],
)
def test_types(declared: str, found: str, same: bool) -> None:
    assert same_type(type_of(column(declared)), found_type(Column(found, False, None, None))) is same


@pytest.mark.parametrize(
    ("declared", "found", "same"),
    [
        ("TIMESTAMP DEFAULT '1970-01-01'", "'1970-01-01 00:00:00'::timestamp without time zone", True),
        ("TIMESTAMP DEFAULT '1970-01-01'", "'1970-01-01 00:00:01'::timestamp without time zone", False),
        ("BIGINT DEFAULT 0", "0", True),
        ("BIGINT DEFAULT 0", "'0'::bigint", True),
        ("BIGINT DEFAULT -1", "'-1'::integer", True),
        ("BIGINT DEFAULT -1", "(-1)", True),
        ("BIGINT DEFAULT 1", "0", False),
        ("VARCHAR(9) DEFAULT 'x'", "'x'::character varying", True),
        ("VARCHAR(9) DEFAULT 'x'", "'X'::character varying", False),
        ("BOOLEAN DEFAULT TRUE", "true", True),
        ("BOOLEAN DEFAULT TRUE", "false", False),
        ("BIGINT DEFAULT NULL", None, True),
        ("BIGINT", "0", False),
        ("TIMESTAMP DEFAULT GETDATE()", "getdate()", True),
        ("TIMESTAMP DEFAULT GETDATE()", None, False),
    ],
)
def test_defaults(declared: str, found: str | None, same: bool) -> None:
    assert (default_of(column(declared)) == found_default(Column("", False, found, None))) is same


def test_only_texts_have_a_length() -> None:
    assert length_of(type_of(column("VARCHAR(MAX)"))) == 65_535
    assert length_of(type_of(column("DECIMAL(9, 2)"))) is None
