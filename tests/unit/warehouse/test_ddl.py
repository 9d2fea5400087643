"""Declared tables, from a folder of DDL."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from sparkify.warehouse import ddl

if TYPE_CHECKING:
    from pathlib import Path

PLAYS = """-- CREATE TABLE IF NOT EXISTS remark (id BIGINT);
create table if not exists Plays (
    Play_Id BIGINT NOT NULL,
    -- Of the listener's clock; not CREATE TABLE.
    started_at TIMESTAMP DEFAULT '1970-01-01',
    price DECIMAL(10, 2),
    -- Audit: the event.
    interval_time TIMESTAMP,
    row_version VARCHAR(32),
    PRIMARY KEY (play_id)
)
DISTSTYLE KEY
DISTKEY (started_at)
COMPOUND SORTKEY (started_at, play_id);
"""
NOTES = "CREATE TABLE IF NOT EXISTS operations.notes (note VARCHAR(9));\nGRANT SELECT ON plays TO PUBLIC;\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.sql").write_text(NOTES)
    (tmp_path / "history.sql").write_text("CREATE TABLE IF NOT EXISTS events (id BIGINT, batch_id BIGINT);\n")
    (tmp_path / "plays.sql").write_text(PLAYS)
    (tmp_path / "zoo.sql").write_text("CREATE SCHEMA IF NOT EXISTS operations;\n")
    return tmp_path


def test_schemas_come_first_and_other_statements_last(folder: Path) -> None:
    assert [(item.kind, item.creates) for item in ddl.read(folder)] == [
        ("SCHEMA", "operations"),
        ("TABLE", "operations.notes"),
        ("TABLE", "events"),
        ("TABLE", "plays"),
        ("", None),
    ]


def test_a_select_declares_a_view_of_its_name(folder: Path) -> None:
    for name, select in {
        "views/a_latest": "-- The latest\n-- Of all.\nWITH own AS (SELECT id FROM marts.counts) SELECT id FROM own;\n",
        "marts/counts": "SELECT COUNT(*) AS id FROM Plays",
        "marts/other": "SELECT 1 AS id;\nSELECT 2 AS id",
    }.items():
        (folder / f"{name}.sql").parent.mkdir(exist_ok=True)
        (folder / f"{name}.sql").write_text(select)
    found = {item.creates: item for item in ddl.read(folder)}
    # After what it reads.
    assert list(found)[-2:] == ["marts.counts", "a_latest"]
    assert [item.kind for item in found.values()].count("VIEW") == 2
    assert found["marts"].kind == "SCHEMA"
    assert found["marts.counts"].sql == "CREATE VIEW marts.counts AS SELECT COUNT(*) AS id FROM Plays"
    assert found["marts.counts"].reads == {"plays"}
    assert (found["a_latest"].reads, found["a_latest"].where) == ({"marts.counts"}, "a_latest.sql line 3")
    # Comments and white space are no change.
    before = found["a_latest"].fingerprint
    (folder / "views" / "a_latest.sql").write_text(
        "WITH own AS (\n    SELECT id FROM marts.counts  -- All.\n)\nSELECT id FROM own"
    )
    assert next(item for item in ddl.read(folder) if item.creates == "a_latest").fingerprint == before


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"views/plays": "SELECT 1 AS id"}, "plays.sql line 1: plays.sql line 2 declares the view plays too"),
        ({"views/a": "SELECT 1 FROM b", "views/b": "SELECT 1 FROM a"}, "Views read each other: [ab] -> [ab] -> [ab]"),
        ({"views/a": "-- A.\n\nSELECT 1 FROM"}, "a.sql line 3: invalid DDL"),
        ({"views/select": "SELECT 1 AS id"}, "select.sql line 1: "),
    ],
)
def test_an_invalid_view(folder: Path, files: dict[str, str], expected: str) -> None:
    for name, select in files.items():
        (folder / f"{name}.sql").parent.mkdir(exist_ok=True)
        (folder / f"{name}.sql").write_text(select)
    with pytest.raises(ddl.DdlError, match=expected):
        ddl.read(folder)


def test_keys(folder: Path) -> None:
    events, plays = ddl.tables(folder)
    assert (plays.primary_key, plays.sort_key, plays.distribution) == (
        ["play_id"],
        ["started_at", "play_id"],
        "KEY (started_at)",
    )
    assert (events.primary_key, events.sort_key, events.distribution) == ([], [], "")


def test_a_column_is_dropped_explicitly(folder: Path) -> None:
    (folder / "x.sql").write_text("ALTER TABLE operations.Notes DROP COLUMN Old;\n")
    assert [item.drops for item in ddl.read(folder) if item.drops] == [("operations.notes", "old")]


def test_indexes_belong_to_tables(folder: Path) -> None:
    found = ddl.read(folder, indexes=["CREATE INDEX IF NOT EXISTS notes_note ON operations.notes (note);"])
    assert [(item.creates, item.index_of) for item in found if item.index_of] == [("notes_note", "operations.notes")]


def test_tables_are_those_of_the_warehouse_with_their_columns(folder: Path) -> None:
    events, plays = ddl.tables(folder)
    assert (events.name, events.columns, events.time, events.keeps_rows) == ("events", ["id"], None, True)
    assert (plays.name, plays.columns, plays.keeps_rows) == ("plays", ["play_id", "started_at", "price"], False)
    assert list(plays.types) == [*plays.columns, "interval_time", "row_version"]
    assert plays.time == "started_at"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-- A table.\n\nCREATE TABLE x (id BIGINT);", "x.sql line 3: expected CREATE TABLE IF NOT EXISTS"),
        (
            "SELECT 1;\n\n-- B.\nCREATE TABLE IF NOT EXISTS x (id BIGINT DISTKEY);",
            "x.sql line 4: invalid DDL: .*DISTKEY",
        ),
        ("SELECT 1;\nSELECT 'x", "x.sql line 2: invalid DDL"),
        (
            "CREATE TABLE IF NOT EXISTS plays (id BIGINT);",
            "x.sql line 1: plays.sql line 2 declares the table plays too",
        ),
        (
            "CREATE TABLE IF NOT EXISTS x (\n    id BIGINT,\n    -- A label.\n    tag BIGINT\n);",
            "x.sql line 4: the name tag is a reserved word of Redshift",
        ),
        ("CREATE TABLE IF NOT EXISTS x (user BIGINT);", "x.sql line 1: the name of a column is a reserved word"),
        (
            f"-- X.\nCREATE TABLE IF NOT EXISTS x (\n    id BIGINT,\n    {'é' * 64} BIGINT\n);",
            "x.sql line 4: the name é{20}... has 128 bytes; Redshift allows 127",
        ),
        (f"CREATE TABLE IF NOT EXISTS {'x' * 128} (id BIGINT);", "x.sql line 1: the name x{20}... has 128 bytes"),
        ("ALTER TABLE plays ADD COLUMN x BIGINT;", "x.sql line 1: expected ALTER TABLE ... DROP COLUMN"),
        ("ALTER TABLE plays ALTER DISTKEY id;", "x.sql line 1: expected ALTER TABLE ... DROP COLUMN"),
    ],
)
def test_an_error_has_the_file_and_the_line(folder: Path, text: str, expected: str) -> None:
    (folder / "x.sql").write_text(text)
    with pytest.raises(ddl.DdlError) as raised:
        ddl.read(folder)
    assert re.match(expected, str(raised.value))


def test_a_folder_without_ddl_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ddl.DdlError, match=re.escape(f"No file of DDL (*.sql) in {tmp_path}.")):
        ddl.read(tmp_path)
