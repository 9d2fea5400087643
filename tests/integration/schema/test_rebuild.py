"""A table is rebuilt beside the old one, and swapped."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException

from sparkify.schema import rebuild
from sparkify.warehouse import WarehouseError
from tests.integration.schema.conftest import (
    DDL,
    FIVE,
    SIX,
    USERS,
    create,
    killed_at_every_statement,
    load,
    replace,
    structure,
)
from tests.support.data import event
from tests.support.labs import EMPTY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandbox.lab import Lab

CODES = USERS.replace("    e.gender,\n", "    CASE e.gender WHEN 'F' THEN 1 ELSE 2 END AS gender,\n")
TYPE = "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = '{0}'::regclass AND attname = '{1}'"


@pytest.fixture
def coded(ddl: Path) -> Path:
    """DDL in which the gender is a number, and the country is required."""
    replace(ddl / "users.sql", "    gender VARCHAR(16),", "    gender INTEGER,")
    return ddl


def test_the_load_replaces_a_table_of_another_structure(
    loaded: Lab, coded: Path, make_lab: Callable[..., Lab], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert create(loaded, coded, "all")["schema_changes"] == 1
    assert loaded.one(TYPE.format("users", "gender")) == "character varying(16)"
    assert load(loaded, SIX, CODES, folder=coded, changes="all")["rows"] == 2
    assert loaded.query("SELECT user_id, gender FROM users ORDER BY 1") == [(8, 1), (9, 1)]
    assert create(loaded, coded, "refuse")["schema_changes"] == 0
    assert loaded.query("SELECT relname FROM pg_class WHERE relname LIKE '%\\_\\_%' AND relkind IN ('r', 'i')") == []
    # The next hours are merged again.
    assert load(loaded, SIX, CODES, folder=coded)["rows"] == 1
    fresh = make_lab(EMPTY)
    for variable, value in fresh.environment.items():
        monkeypatch.setenv(variable, value)
    create(fresh, coded)
    assert structure(loaded, "users") == structure(fresh, "users")


def test_a_concurrent_run_of_another_policy_does_not_prevent_it(loaded: Lab, ddl: Path) -> None:
    replace(ddl / "users.sql", "    user_id BIGINT NOT NULL,", "    user_id DECIMAL(18, 0) NOT NULL,")
    create(loaded, ddl, "all")
    load(loaded, FIVE, USERS, folder=ddl)
    assert loaded.one(TYPE.format("users", "user_id")) == "bigint"
    load(loaded, SIX, USERS, folder=ddl, changes="all")
    assert loaded.one(TYPE.format("users", "user_id")) == "numeric(18,0)"


def test_a_required_column_is_filled_from_the_staging_rows(loaded: Lab, ddl: Path) -> None:
    replace(ddl / "users.sql", "    gender VARCHAR(16),", "    country VARCHAR(2) NOT NULL,\n    gender VARCHAR(16),")
    select = USERS.replace("    e.gender,\n", "    CAST('US' AS VARCHAR(2)) AS country,\n    e.gender,\n")
    create(loaded, ddl, "all")
    load(loaded, SIX, select, folder=ddl, changes="all")
    assert loaded.query("SELECT DISTINCT country FROM users") == [("US",)]


def test_tables_that_no_select_loads_are_copied(loaded: Lab, ddl: Path) -> None:
    before = loaded.tables()
    replace(ddl / "staging_events.sql", "    status INTEGER,", "    status BIGINT,")
    replace(ddl / "operations" / "bookkeeping.sql", "size_bytes BIGINT NOT NULL", "size_bytes DECIMAL(18, 0) NOT NULL")
    assert create(loaded, ddl, "all")["schema_changes"] == 4  # planned, and copied
    assert loaded.one(TYPE.format("staging_events", "status")) == "bigint"
    assert loaded.one(TYPE.format("operations.staged_objects", "size_bytes")) == "numeric(18,0)"
    assert loaded.tables() == before
    assert create(loaded, ddl, "refuse")["schema_changes"] == 0


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ("page INTEGER,", 'invalid input syntax for type integer: "NextSong"'),
        ("page VARCHAR(7),", r"value too long for type character varying\(7\)"),
        ("page VARCHAR(64),\n    mood VARCHAR(9) NOT NULL,", "null value in column"),
    ],
)
def test_a_copy_that_does_not_fit_changes_nothing(loaded: Lab, ddl: Path, declaration: str, message: str) -> None:
    before = structure(loaded, "staging_events"), loaded.tables()
    replace(ddl / "staging_events.sql", "page VARCHAR(64),", declaration)
    with pytest.raises(AirflowFailException, match=message):
        create(loaded, ddl, "all")
    assert (structure(loaded, "staging_events"), loaded.tables()) == before


def test_privileges_are_kept(loaded: Lab, coded: Path) -> None:
    role = f"analyst_{loaded.bucket.rpartition('-')[2]}"
    granted = "SELECT relacl::text FROM pg_class WHERE oid = 'users'::regclass"
    with psycopg.connect(loaded.uri, autocommit=True) as connection:
        connection.execute(f'CREATE ROLE "{role}"')
        try:
            connection.execute(f'GRANT SELECT, REFERENCES ON users TO "{role}"')
            connection.execute(f'GRANT DELETE ON users TO "{role}" WITH GRANT OPTION')
            connection.execute("GRANT SELECT ON users TO PUBLIC")
            before = sorted(loaded.one(granted).strip("{}").split(","))
            create(loaded, coded, "all")
            load(loaded, SIX, CODES, folder=coded, changes="all")
            assert sorted(loaded.one(granted).strip("{}").split(",")) == before
        finally:
            connection.execute(f'DROP OWNED BY "{role}"')
            connection.execute(f'DROP ROLE "{role}"')


def test_a_table_with_views_is_not_replaced(loaded: Lab, coded: Path) -> None:
    with psycopg.connect(loaded.uri) as connection:
        connection.execute("CREATE VIEW people AS SELECT first_name FROM users")
    before = structure(loaded, "users"), loaded.tables()
    create(loaded, coded, "all")
    with pytest.raises(AirflowFailException, match=r"other objects depend on it: view people depends on.*Drop these"):
        load(loaded, SIX, CODES, folder=coded, changes="all")
    assert (structure(loaded, "users"), loaded.tables()) == before


def test_a_rebuild_that_fails_its_check_changes_nothing(loaded: Lab, coded: Path) -> None:
    before = structure(loaded, "users"), loaded.tables()
    create(loaded, coded, "all")
    with pytest.raises(AirflowFailException, match="it has no rows, the old table has 2"):
        load(loaded, SIX, f"{CODES} AND 1 = 0", folder=coded, changes="all")
    assert (structure(loaded, "users"), loaded.tables()) == before


@pytest.mark.parametrize(
    ("counts", "problem"),
    [
        ((5, 5, 4, 0), "5 rows, 4 distinct keys, 0 keys of the source are missing"),
        ((5, 4, 4, 1), "4 rows, 4 distinct keys, 1 keys of the source are missing"),
        ((5, 0, 0, 0), "it has no rows, the old table has 5"),
    ],
)
def test_the_check_of_the_rows(counts: tuple[int, int, int, int], problem: str) -> None:
    with pytest.raises(WarehouseError, match=problem):
        rebuild._checked("users", counts, ["user_id"])
    assert rebuild._checked("users", (0, 3, 3, 0), ["user_id"]) == 3


@pytest.mark.slow
def test_readers_see_the_old_or_the_new_table(loaded: Lab, coded: Path) -> None:
    """Readers poll in both isolation levels while the table is replaced again and again."""
    problems: list[str] = []
    reads = 0
    done = threading.Event()

    def poll(level: psycopg.IsolationLevel) -> None:
        nonlocal reads
        with psycopg.connect(loaded.uri) as connection:
            connection.isolation_level = level
            while not done.is_set():
                try:
                    (row,) = connection.execute("SELECT COUNT(*), COUNT(gender) FROM users").fetchall()
                    connection.commit()
                    if row != (2, 2):
                        problems.append(f"{level.name}: {row}")
                except psycopg.Error as error:
                    problems.append(f"{level.name}: {error}")
                    connection.rollback()
                reads += 1

    levels = [psycopg.IsolationLevel.READ_COMMITTED, psycopg.IsolationLevel.REPEATABLE_READ]
    readers = [threading.Thread(target=poll, args=(level,)) for level in levels * 2]
    for reader in readers:
        reader.start()
    try:
        for _ in range(4):
            for folder, select in ((coded, CODES), (DDL, USERS)):
                create(loaded, folder, "all")
                load(loaded, SIX, select, folder=folder, changes="all")
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert problems == []
    assert reads > 100


def test_writers_wait_and_find_the_new_table(loaded: Lab, coded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A concurrent run loads another hour meanwhile: both hours are in the new table."""
    loaded.put_events(
        "2018-11-01",
        [event(f"2018-11-01T0{hour}:10", hour, userId=str(hour), gender="M") for hour in (5, 6)],
    )
    create(loaded, coded, "all")
    fill = rebuild._fill
    runs: list[threading.Thread] = []

    def slow(*arguments: Any) -> Any:
        counts = fill(*arguments)
        loaded.run(*FIVE, tasks=["stage_events"])
        runs.append(threading.Thread(target=load, args=(loaded, FIVE, CODES), kwargs={"folder": coded}))
        runs[0].start()
        return counts

    loaded.run(*SIX, tasks=["stage_events"])
    monkeypatch.setattr(rebuild, "_fill", slow)
    load(loaded, SIX, CODES, folder=coded, changes="all")
    runs[0].join()
    assert loaded.query("SELECT user_id, gender FROM users ORDER BY 1") == [(5, 2), (6, 2)]


@pytest.mark.slow
def test_a_rebuild_that_is_killed_at_any_statement_is_taken_up_again(
    loaded: Lab, coded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    states: list[Any] = []

    def work() -> None:
        states.append((structure(loaded, "users"), loaded.tables()))
        load(loaded, SIX, CODES, folder=coded, changes="all")

    create(loaded, coded, "all")
    assert killed_at_every_statement(monkeypatch, work) > 20
    # The old table, until the swap is committed, then the new one.
    before, after = states[0], (structure(loaded, "users"), loaded.tables())
    assert before != after
    assert [state for state in states if state not in (before, after)] == []
    assert states.count(before) > 20
    assert loaded.query("SELECT user_id, gender FROM users ORDER BY 1") == [(8, 1), (9, 1)]
    assert create(loaded, coded, "refuse")["schema_changes"] == 0


@pytest.mark.slow
def test_changes_that_are_killed_at_any_statement_are_taken_up_again(
    loaded: Lab, coded: Path, make_lab: Callable[..., Lab], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All kinds of changes at once: a new and a dropped column, a longer text, keys, descriptions, a copied table."""
    with psycopg.connect(loaded.uri) as connection:
        connection.execute("ALTER TABLE users ADD COLUMN old VARCHAR(9)")
    replace(coded / "users.sql", "    level VARCHAR(16),\n", "    level VARCHAR(20),\n    country VARCHAR(2),\n")
    replace(coded / "users.sql", "SORTKEY (user_id);", "SORTKEY (level);\nALTER TABLE users DROP COLUMN old;")
    replace(coded / "staging_events.sql", "    status INTEGER,", "    status BIGINT,")
    select = CODES.replace("    e.level,\n", "    e.level,\n    CAST('US' AS VARCHAR(2)) AS country,\n")
    staged = loaded.query("SELECT userid, status, ts FROM staging_events ORDER BY 1")
    assert killed_at_every_statement(monkeypatch, lambda: create(loaded, coded, "all")) > 20
    assert loaded.query("SELECT userid, status, ts FROM staging_events ORDER BY 1") == staged
    load(loaded, SIX, select, folder=coded, changes="all")
    assert loaded.query("SELECT user_id, gender, country FROM users ORDER BY 1") == [(8, 1, "US"), (9, 1, "US")]
    assert create(loaded, coded, "refuse")["schema_changes"] == 0
    fresh = make_lab(EMPTY)
    for variable, value in fresh.environment.items():
        monkeypatch.setenv(variable, value)
    create(fresh, coded)
    for table in ("users", "staging_events", "operations.table_definitions"):
        assert structure(loaded, table) == structure(fresh, table)
