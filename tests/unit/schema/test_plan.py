"""The plan has the differences between the DDL and the catalogue."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sparkify.schema.changes import Change, Kind
from sparkify.schema.plan import compare
from sparkify.warehouse import ddl
from sparkify.warehouse.catalogue import Column, Relation

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sparkify.schema.plan import Plan

PLAYS = """-- Plays of songs.
CREATE TABLE IF NOT EXISTS plays (
    -- Id.
    play_id BIGINT NOT NULL,
    title VARCHAR(64),
    price DECIMAL(18, 2),
    played_at TIMESTAMP NOT NULL DEFAULT '1970-01-01',
    interval_time TIMESTAMP NOT NULL,
    row_version VARCHAR(32) NOT NULL,
    PRIMARY KEY (play_id)
)
DISTSTYLE KEY
DISTKEY (played_at)
SORTKEY (played_at, title);
"""

# The table of PLAYS, as Redshift's catalogue describes it.
EXISTING = Relation(
    1_000,
    "Plays of songs.",
    ["play_id"],
    {
        "play_id": Column("bigint", True, None, "Id."),
        "title": Column("character varying(64)", False, None, None),
        "price": Column("numeric(18,2)", False, None, None),
        "played_at": Column(
            "timestamp without time zone", True, "'1970-01-01 00:00:00'::timestamp without time zone", None
        ),
        "interval_time": Column("timestamp without time zone", True, None, None),
        "row_version": Column("character varying(32)", True, None, None),
    },
    distribution="KEY (played_at)",
    sort_key=["played_at", "title"],
)


@pytest.fixture
def plan(tmp_path: Path) -> Callable[..., Plan]:
    """Return a function that compares a changed PLAYS with an existing table."""

    def compared(old: str = "", new: str = "", *, existing: Relation | None = EXISTING, after: str = "") -> Plan:
        assert old in PLAYS
        (tmp_path / "plays.sql").write_text(PLAYS.replace(old, new, 1) + after if old else PLAYS + after)
        return compare(ddl.read(tmp_path), {"plays": existing} if existing else {})

    return compared


def test_an_empty_database_gets_everything(plan: Callable[..., Plan]) -> None:
    found = plan(existing=None).changes
    assert [(change.kind, change.what) for change in found] == [
        (Kind.CREATE, "create table plays"),
        (Kind.COMMENT, "describe table plays and 1 more"),
    ]


def test_an_equal_schema_has_an_empty_plan(plan: Callable[..., Plan]) -> None:
    assert plan().changes == []


ALTERED = {
    "a column": (
        "    price",
        "    note VARCHAR(9) ENCODE zstd NOT NULL DEFAULT '',\n    price",
        Kind.ADD,
        "ADD COLUMN note VARCHAR(9) DEFAULT '' ENCODE zstd NOT NULL",
    ),
    "a longer text": ("title VARCHAR(64)", "title VARCHAR(65)", Kind.WIDEN, "ALTER COLUMN title TYPE VARCHAR(65)"),
    "a sort key": ("(played_at, title)", "(title)", Kind.KEYS, "ALTER SORTKEY (title)"),
    "a distribution": ("DISTSTYLE KEY\nDISTKEY (played_at)", "DISTSTYLE ALL", Kind.KEYS, "ALTER DISTSTYLE ALL"),
    "a distribution key": (
        "DISTKEY (played_at)",
        "DISTKEY (play_id)",
        Kind.KEYS,
        "ALTER DISTSTYLE KEY DISTKEY play_id",
    ),
}


@pytest.mark.parametrize(("old", "new", "kind", "action"), ALTERED.values(), ids=ALTERED)
def test_what_alter_table_can_change_is_changed_in_place(
    plan: Callable[..., Plan], old: str, new: str, kind: Kind, action: str
) -> None:
    (change,) = plan(old, new).changes
    assert (change.kind, change.table, change.sql) == (kind, "plays", f"ALTER TABLE plays {action}")


REBUILT = {
    "a shorter text": ("title VARCHAR(64)", "title VARCHAR(63)", "type of title VARCHAR(64) -> VARCHAR(63)"),
    "another type": ("price DECIMAL(18, 2)", "price DOUBLE PRECISION", "type of price DECIMAL(18, 2) -> DOUBLE"),
    "a longer text with a fixed encoding": ("title VARCHAR(64)", "title VARCHAR(65) ENCODE text255", "type of title"),
    "NOT NULL": ("title VARCHAR(64)", "title VARCHAR(64) NOT NULL", "title NOT NULL"),
    "NULL": ("interval_time TIMESTAMP NOT NULL", "interval_time TIMESTAMP", "interval_time allows NULL"),
    "a default": ("'1970-01-01'", "'1970-01-02'", "default of played_at"),
    "a new default": ("title VARCHAR(64)", "title VARCHAR(64) DEFAULT ''", "default of title"),
    "a primary key": ("(play_id)", "(play_id, played_at)", "primary key (play_id) -> (play_id, played_at)"),
    "the order of the audit columns": (
        "    interval_time TIMESTAMP NOT NULL,\n    row_version VARCHAR(32) NOT NULL,\n",
        "    row_version VARCHAR(32) NOT NULL,\n    interval_time TIMESTAMP NOT NULL,\n",
        "order of the audit columns (interval_time, row_version) -> (row_version, interval_time)",
    ),
}


@pytest.mark.parametrize(("old", "new", "what"), REBUILT.values(), ids=REBUILT)
def test_what_alter_table_cannot_change_is_rebuilt(plan: Callable[..., Plan], old: str, new: str, what: str) -> None:
    found = plan(old, new)
    assert found.rebuilt == ["plays"]
    assert what in found.pending[0].what
    assert [change.kind for change in found.changes] == [Kind.REBUILD]


def test_columns_in_keys_or_with_a_default_are_rebuilt_to_be_longer(plan: Callable[..., Plan]) -> None:
    columns = {**EXISTING.columns, "title": Column("character varying(64)", False, "''::character varying", None)}
    found = plan("title VARCHAR(64)", "title VARCHAR(65) DEFAULT ''", existing=replace(EXISTING, columns=columns))
    assert [change.kind for change in found.changes] == [Kind.REBUILD]
    key = {**EXISTING.columns, "play_id": Column("character varying(8)", True, None, "Id.")}
    found = plan("play_id BIGINT", "play_id VARCHAR(9)", existing=replace(EXISTING, columns=key))
    assert [change.kind for change in found.changes] == [Kind.REBUILD]


def test_a_required_column_needs_a_rebuild_and_blocks_the_loads(plan: Callable[..., Plan]) -> None:
    (change,) = plan("    price", "    country VARCHAR(2) NOT NULL,\n    price").changes
    assert (change.kind, change.is_blocking) == (Kind.REBUILD, True)
    assert change.what == "add the column country, NOT NULL without a DEFAULT (plays.sql line 6)"


@pytest.mark.parametrize("constraint", ["UNIQUE", "PRIMARY KEY", "REFERENCES songs (song_id)"])
def test_a_column_that_redshift_cannot_add_needs_a_rebuild(plan: Callable[..., Plan], constraint: str) -> None:
    (change, *_) = plan("    price", f"    country VARCHAR(2) {constraint},\n    price").pending
    assert change.is_blocking
    assert change.what.startswith(f"add the column country, which is {constraint} (plays.sql line 6)")


def test_a_column_that_is_declared_null_allows_null(plan: Callable[..., Plan]) -> None:
    assert plan("title VARCHAR(64)", "title VARCHAR(64) NULL").changes == []


def test_a_column_that_allows_null_is_added(plan: Callable[..., Plan]) -> None:
    found = plan("    price", "    country VARCHAR(2) NULL,\n    price").changes
    assert [change.kind for change in found] == [Kind.ADD]


def test_a_rebuild_has_all_its_reasons_and_leaves_additive_changes_apart(plan: Callable[..., Plan]) -> None:
    old = "    title VARCHAR(64),\n    price DECIMAL(18, 2),\n"
    new = "    title VARCHAR(6),\n    price REAL,\n    note VARCHAR(9),\n"
    found = plan(old, new).changes
    assert [change.kind for change in found] == [Kind.ADD, Kind.REBUILD]
    assert found[1].what == "type of title VARCHAR(64) -> VARCHAR(6); type of price DECIMAL(18, 2) -> REAL"


def test_what_the_ddl_does_not_declare_is_left_to_redshift(plan: Callable[..., Plan]) -> None:
    keys = "DISTSTYLE KEY\nDISTKEY (played_at)\nSORTKEY (played_at, title)"
    assert plan(keys, "", existing=replace(EXISTING, distribution="AUTO", sort_key=["price"])).changes == []


def test_changed_descriptions_are_commented(plan: Callable[..., Plan]) -> None:
    (change,) = plan("-- Id.", "-- The play's id.").changes
    assert change == Change(
        Kind.COMMENT,
        "plays",
        "describe column plays.play_id",
        "COMMENT ON COLUMN plays.play_id IS 'The play''s id.'",
    )
    assert change.kind.is_additive


def test_undeclared_columns_are_reported_and_kept(plan: Callable[..., Plan]) -> None:
    found = plan("    title VARCHAR(64),\n", "", existing=replace(EXISTING, sort_key=["played_at", "title"]))
    assert (found.changes, found.undeclared) == ([], ["plays.title"])


def test_a_column_is_dropped_if_the_ddl_says_so(plan: Callable[..., Plan]) -> None:
    after = "ALTER TABLE plays DROP COLUMN price;\n"
    old = "    price DECIMAL(18, 2),\n"
    (change,) = plan(old, "", after=after).changes
    assert (change.kind, change.sql) == (Kind.DROP, "ALTER TABLE plays DROP COLUMN price")
    columns = {name: column for name, column in EXISTING.columns.items() if name != "price"}
    assert plan(old, "", after=after, existing=replace(EXISTING, columns=columns)).changes == []


@pytest.mark.parametrize(
    ("old", "column", "message"),
    [
        ("", "price", "the column price is dropped, and declared in CREATE TABLE plays"),
        ("    title VARCHAR(64),\n", "title", "Redshift cannot drop title: it is a key of plays"),
    ],
)
def test_an_impossible_drop_is_an_error(plan: Callable[..., Plan], old: str, column: str, message: str) -> None:
    with pytest.raises(ddl.DdlError, match=rf"plays\.sql line \d+: {message}"):
        plan(old, "", after=f"ALTER TABLE plays DROP COLUMN {column};\n")


def test_statements_that_create_nothing_always_run(plan: Callable[..., Plan]) -> None:
    (change,) = plan(after="GRANT SELECT ON plays TO PUBLIC;\n").changes
    assert (change.kind, change.sql) == (Kind.EXECUTE, "GRANT SELECT ON plays TO PUBLIC;")


@pytest.mark.parametrize(
    ("index", "kinds"), [(["played_at", "title"], []), (["title"], [Kind.KEYS]), (None, [Kind.CREATE])]
)
def test_the_sort_key_of_postgresql_is_an_index(tmp_path: Path, index: list[str] | None, kinds: list[Kind]) -> None:
    (tmp_path / "plays.sql").write_text(PLAYS)
    found = {"plays": replace(EXISTING, distribution="", sort_key=None)}
    if index:
        found["plays_sortkey"] = Relation(0, None, [], {name: EXISTING.columns[name] for name in index})
    assert [change.kind for change in compare(ddl.read(tmp_path), found).changes] == kinds
