"""Descriptions are the comments of the DDL; every declared table and column has one."""

from __future__ import annotations

import pytest

from sparkify.schema.descriptions import Description, describe, parse
from sparkify.warehouse import ddl
from tests.conftest import ROOT

DDL = """-- A note on the file.

-- One row per play,
-- duplicates included. Personal.
--
-- DISTSTYLE EVEN: a reason.
CREATE TABLE IF NOT EXISTS plays (  -- Not of a column.
    -- The surrogate key.
    play_id BIGINT NOT NULL,  -- Behind the column: not its description.
    -- Length of the song, in the
    -- catalogue. Unit: seconds. Personal.
    Length DOUBLE PRECISION DEFAULT 0,
    -- First name, as the user's client sent it. Personal.
    first_name VARCHAR(256),
    note VARCHAR(9), -- Behind the column.
    other VARCHAR(9),
    -- Personal.
    unnamed VARCHAR(9),
    -- Not of a column.
    PRIMARY KEY (play_id)
)
-- Not of the table.
DISTSTYLE EVEN;

CREATE TABLE IF NOT EXISTS plain (a INTEGER);
-- All plays.
CREATE VIEW v AS SELECT play_id FROM plays;
"""


def test_comments_are_descriptions() -> None:
    plays, plain, view = ddl.parse(DDL, "plays.sql")
    assert describe(plays) == (
        Description("One row per play, duplicates included.", is_personal=True),
        {
            "play_id": Description("The surrogate key."),
            "length": Description("Length of the song, in the catalogue.", "seconds", is_personal=True),
            "first_name": Description("First name, as the user's client sent it.", is_personal=True),
        },
    )
    assert describe(plain) == (None, {})
    assert describe(view) == (Description("All plays."), {})


def test_the_comment_of_a_view_is_its_description() -> None:
    (view,) = ddl.parse(
        "-- Paid share\n-- Of a day,\n-- UTC.\n-- Grain: day\n-- Unit: %\nCREATE VIEW v AS SELECT 1 AS value", "v.sql"
    )
    assert describe(view) == (Description("Paid share. Of a day, UTC. Grain: day.", "%"), {})
    (plain,) = ddl.parse("CREATE VIEW v AS SELECT 1 AS value", "v.sql")
    assert describe(plain) == (None, {})


@pytest.mark.parametrize(
    ("comment", "text", "unit", "is_personal"),
    [
        ("Key.", "Key.", None, False),
        ("Length. Unit: seconds.", "Length.", "seconds", False),
        ("Name (first). Personal.", "Name (first).", None, True),
        ("Length.  Unit: bytes per\n second. Personal.", "Length.", "bytes per second", True),
        # Words of a sentence are no unit and no sensitivity.
        ("Not Personal.", "Not Personal.", None, False),
        ("The Unit: seconds.", "The Unit: seconds.", None, False),
        ("Unit: seconds. A length.", "Unit: seconds. A length.", None, False),
    ],
)
def test_unit_and_sensitivity_are_the_last_sentences(
    comment: str, text: str, unit: str | None, is_personal: bool
) -> None:
    found = parse(comment)
    assert found == Description(text, unit, is_personal)
    assert parse(found.comment) == found


@pytest.mark.parametrize("comment", [None, "", " \n", "Personal.", "Unit: seconds.", "Unit: seconds. Personal."])
def test_a_comment_without_text_describes_nothing(comment: str | None) -> None:
    assert parse(comment) is None


def test_every_declared_table_and_column_has_a_description() -> None:
    missing = []
    for statement, table in ddl.read(ROOT / "include" / "sql" / "ddl").items():
        if table:
            described, columns = describe(statement)
            missing += [f"{statement.where}: {table.name}"] if described is None else []
            missing += [f"{statement.where}: {table.name}.{name}" for name in table.definitions if name not in columns]
    assert missing == []


def test_personal_data_is_marked() -> None:
    marked = {
        f"{table.name}.{name}"
        for statement, table in ddl.read(ROOT / "include" / "sql" / "ddl").items()
        if table
        for name, description in describe(statement)[1].items()
        if description.is_personal
    }
    assert marked == {
        *(f"users.{name}" for name in ("user_id", "first_name", "last_name", "gender")),
        *(f"songplays.{name}" for name in ("user_id", "session_id", "location", "user_agent")),
        *(f"staging_events.{name}" for name in ("userid", "firstname", "lastname", "gender", "location")),
        *(f"staging_events.{name}" for name in ("registration", "sessionid", "useragent")),
        *(f"operations.rejected_rows.{name}" for name in ("raw_line", "raw_value")),
        *(f"users_history.{name}" for name in ("user_id", "first_name", "last_name", "gender")),
        *(f"{table}.user_id" for table in ("events", "sessions", "daily_users", "operations.changed_events")),
        *(f"{table}.session_id" for table in ("events", "sessions", "operations.changed_events")),
        "operations.data_quality_results.sample",
    }
