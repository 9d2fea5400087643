"""The plan has what the catalogue lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sparkify.schema.plan import compare
from sparkify.warehouse import ddl

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sparkify.warehouse.ddl import Statement, Table

PLAYS = """CREATE SCHEMA IF NOT EXISTS marts;
CREATE TABLE IF NOT EXISTS marts.plays (
    play_id BIGINT NOT NULL,
    price DECIMAL(18, 2),  -- In EUR.
    note VARCHAR(9) ENCODE zstd NOT NULL DEFAULT ''
);
"""


@pytest.fixture
def declared(tmp_path: Path) -> Mapping[Statement, Table | None]:
    (tmp_path / "plays.sql").write_text(PLAYS)
    return ddl.read(tmp_path)


def test_an_empty_database_gets_everything(declared: Mapping[Statement, Table | None]) -> None:
    plan = compare(declared, {})
    assert [item.creates for item in plan.create] == ["marts", "marts.plays"]
    assert (plan.add, plan.undeclared) == ([], [])


def test_an_equal_schema_has_an_empty_plan(declared: Mapping[Statement, Table | None]) -> None:
    assert compare(declared, {"marts.plays": ["note", "play_id", "price"]}).statements == []


def test_each_new_column_is_a_statement(declared: Mapping[Statement, Table | None]) -> None:
    plan = compare(declared, {"marts.plays": ["play_id"]})
    assert plan.statements == [
        "ALTER TABLE marts.plays ADD COLUMN price DECIMAL(18, 2)",
        "ALTER TABLE marts.plays ADD COLUMN note VARCHAR(9) ENCODE zstd NOT NULL DEFAULT ''",
    ]
    assert plan.altered == ["marts.plays"]


def test_undeclared_columns_are_reported_and_kept(declared: Mapping[Statement, Table | None]) -> None:
    plan = compare(declared, {"marts.plays": ["play_id", "price", "note", "old"]})
    assert (plan.statements, plan.undeclared) == ([], ["marts.plays.old"])


def test_a_required_column_without_a_default_cannot_be_added(declared: Mapping[Statement, Table | None]) -> None:
    with pytest.raises(ddl.DdlError, match=r"plays\.sql line 2: the column play_id is new .* Declare a DEFAULT"):
        compare(declared, {"marts.plays": ["price", "note"]})
