"""Declared views are created, replaced, and created again when their tables change."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException

from sparkify.warehouse.postgres.session import Postgres
from tests.integration.schema.conftest import SIX, USERS, create, killed_at_every_statement, load, replace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.lab import Lab

PEOPLE = "-- People\n-- By level.\n-- Unit: users\nSELECT\n    u.user_id,\n    u.level\nFROM users AS u\n"
LEVELS = "SELECT p.level, COUNT(*) AS value FROM people AS p GROUP BY p.level"
PAGES = "SELECT e.page FROM staging_events AS e"
# Of the catalogue: the identity of a view, and the privileges on it.
OID = "SELECT '{0}'::regclass::oid"
GRANTED = "SELECT relacl::text FROM pg_class WHERE oid = '{0}'::regclass"
CODES = USERS.replace("    e.gender,\n", "    CASE e.gender WHEN 'F' THEN 1 ELSE 2 END AS gender,\n")


@pytest.fixture
def views(ddl: Path) -> Path:
    """DDL with views: one of users, one of that view in another schema, one of a staging table."""
    for name, select in {"views/people": PEOPLE, "reports/levels": LEVELS, "views/pages": PAGES}.items():
        (ddl / f"{name}.sql").parent.mkdir(exist_ok=True)
        (ddl / f"{name}.sql").write_text(select)
    return ddl


@pytest.fixture
def viewed(loaded: Lab, views: Path) -> Iterator[Lab]:
    """A loaded lab with the views, and an analyst who may read them."""
    assert create(loaded, views)["schema_changes"] == 4  # and a schema
    role = f"analyst_{loaded.bucket.rpartition('-')[2]}"
    with psycopg.connect(loaded.uri, autocommit=True) as connection:
        connection.execute(f'CREATE ROLE "{role}"')
        try:
            for view in ("people", "pages", "reports.levels"):
                connection.execute(f'GRANT SELECT ON {view} TO "{role}" WITH GRANT OPTION')
            connection.execute("GRANT SELECT ON people TO PUBLIC")
            yield loaded
        finally:
            connection.execute(f'DROP OWNED BY "{role}"')
            connection.execute(f'DROP ROLE "{role}"')


def state(lab: Lab) -> list[Any]:
    """Return the rows of the views, their privileges and their descriptions."""
    names = ("people", "pages", "reports.levels")
    return [
        sorted(lab.query("SELECT user_id, level FROM people")),
        lab.query("SELECT level, value FROM reports.levels"),
        lab.query("SELECT page FROM pages"),
        *(sorted(lab.one(GRANTED.format(name)).strip("{}").split(",")) for name in names),
        *(lab.one(f"SELECT obj_description('{name}'::regclass)") for name in names),
    ]


def oids(lab: Lab) -> dict[str, Any]:
    return {name: lab.one(OID.format(name)) for name in ("people", "pages", "reports.levels")}


def test_missing_views_are_created_with_their_descriptions(viewed: Lab, views: Path) -> None:
    assert viewed.query("SELECT level, value FROM reports.levels") == [("free", 2)]
    assert viewed.one("SELECT obj_description('people'::regclass)") == "People. By level. Unit: users."
    before = oids(viewed)
    assert create(viewed, views, "refuse")["schema_changes"] == 0
    assert oids(viewed) == before
    with psycopg.connect(viewed.uri) as connection:
        connection.execute("DROP VIEW pages")
    assert create(viewed, views)["schema_changes"] == 1
    assert oids(viewed) | {"pages": 0} == before | {"pages": 0}


def test_an_unchanged_set_costs_one_statement(viewed: Lab, views: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    execute = Postgres._execute

    def recording(self: Postgres, cursor: Any, statement: str, values: Any = None) -> None:
        sent.append(statement)
        execute(self, cursor, statement, values)

    monkeypatch.setattr(Postgres, "_execute", recording)
    create(viewed, views)
    assert [statement.partition("\n")[0].partition(" of ")[0] for statement in sent] == [
        "-- Find tables and indexes in the catalogue.",
        "-- Find the recorded definitions",
    ]


def test_a_changed_view_is_replaced_with_its_privileges(viewed: Lab, views: Path) -> None:
    before, ids = state(viewed), oids(viewed)
    replace(views / "views" / "people.sql", "    u.level\n", "    u.level,\n    u.gender\n")
    assert create(viewed, views)["schema_changes"] == 1
    assert viewed.query("SELECT user_id, gender FROM people ORDER BY 1")[0][0] == 8
    # The view that reads it is created again; the other one is not.
    assert state(viewed) == before
    assert [name for name, oid in oids(viewed).items() if oid != ids[name]] == ["people", "reports.levels"]
    # A comment is no change of the view.
    ids = oids(viewed)
    replace(views / "views" / "people.sql", "-- By level.", "-- By subscription.")
    assert create(viewed, views)["schema_changes"] == 0
    assert viewed.one("SELECT obj_description('people'::regclass)") == "People. By subscription. Unit: users."
    assert oids(viewed) == ids


def test_older_code_does_not_replace_a_newer_view(viewed: Lab, views: Path) -> None:
    replace(views / "views" / "people.sql", "    u.level\n", "    u.level,\n    u.gender\n")
    create(viewed, views)
    ids = oids(viewed)
    (views / "views" / "people.sql").write_text(PEOPLE)
    with pytest.raises(AirflowFailException, match=r"older than the warehouse: it has version 1 of .* people"):
        create(viewed, views)
    assert oids(viewed) == ids
    assert create(viewed, views, "all")["schema_changes"] == 1  # deliberately


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        pytest.param("users.sql", "level VARCHAR(16),", "level VARCHAR(20),", id="longer text"),
        pytest.param("users.sql", "SORTKEY (user_id);", "SORTKEY (level);", id="keys"),
        pytest.param(
            "users.sql", "SORTKEY (user_id);", "SORTKEY (user_id);\nALTER TABLE users DROP COLUMN old;", id="drop"
        ),
        pytest.param("staging_events.sql", "page VARCHAR(64),", "page CHAR(64),", id="copied table"),
    ],
)
def test_views_are_created_again_when_their_table_changes(
    viewed: Lab, views: Path, file: str, old: str, new: str
) -> None:
    with psycopg.connect(viewed.uri) as connection:
        connection.execute("ALTER TABLE users ADD COLUMN old VARCHAR(9)")
        connection.execute("CREATE OR REPLACE VIEW people AS SELECT user_id, level, old FROM users")
    before = state(viewed)
    replace(views / file, old, new)
    assert create(viewed, views, "all")["schema_changes"] > 0
    assert [str(item).replace(" " * 56, "") for item in state(viewed)] == [str(item) for item in before]
    with psycopg.connect(viewed.uri) as connection:
        connection.execute("ALTER TABLE users DROP COLUMN IF EXISTS old CASCADE")
    create(viewed, views)
    assert create(viewed, views, "refuse")["schema_changes"] == 0


def test_a_load_that_replaces_the_table_keeps_the_views(viewed: Lab, views: Path) -> None:
    before, ids = state(viewed), oids(viewed)
    replace(views / "users.sql", "    gender VARCHAR(16),", "    gender INTEGER,")
    # A new view reads the column as it will be.
    (views / "views" / "genders.sql").write_text("SELECT SUM(u.gender) AS value FROM users AS u")
    create(viewed, views, "all")
    assert oids(viewed) == ids
    load(viewed, SIX, CODES, folder=views, changes="all")
    assert state(viewed) == before
    assert viewed.one("SELECT value FROM genders") == 2
    assert create(viewed, views, "refuse")["schema_changes"] == 0


def test_views_of_others_refuse_a_change(viewed: Lab, views: Path) -> None:
    with psycopg.connect(viewed.uri) as connection:
        connection.execute("CREATE VIEW mine AS SELECT level FROM people")
    before, ids = state(viewed), oids(viewed)
    replace(views / "views" / "people.sql", "    u.level\n", "    u.level,\n    u.gender\n")
    with pytest.raises(AirflowFailException, match=r"The view people cannot be replaced, .*view mine depends on.*Drop"):
        create(viewed, views)
    (views / "views" / "people.sql").write_text(PEOPLE)
    replace(views / "users.sql", "    gender VARCHAR(16),", "    gender INTEGER,")
    create(viewed, views, "all")
    with pytest.raises(AirflowFailException, match=r"The view people cannot be replaced, .*view mine depends on.*Drop"):
        load(viewed, SIX, CODES, folder=views, changes="all")
    assert (state(viewed), oids(viewed)) == (before, ids)


def test_recreating_all_tables_recreates_the_views(loaded: Lab) -> None:
    before = loaded.query("SELECT * FROM metrics.plays")
    assert before
    loaded.run(*SIX, tasks=["create_tables"], recreate_tables="recreate all tables")
    assert loaded.query("SELECT * FROM metrics.plays") == []
    assert loaded.query("SELECT * FROM weekly_retention") == []
    assert loaded.run(*SIX, tasks=["create_tables"])["create_tables"]["schema_changes"] == 0


@pytest.mark.slow
def test_readers_always_find_the_views(viewed: Lab, views: Path) -> None:
    """Readers poll in both isolation levels while views and their table are replaced again and again."""
    problems: list[str] = []
    reads = 0
    done = threading.Event()

    def poll(level: psycopg.IsolationLevel) -> None:
        nonlocal reads
        with psycopg.connect(viewed.uri) as connection:
            connection.isolation_level = level
            connection.prepare_threshold = None  # a prepared statement rejects the new type of the column
            while not done.is_set():
                try:
                    rows = connection.execute("SELECT level, value FROM reports.levels").fetchall()
                    connection.commit()
                    if rows != [("free", 2)]:
                        problems.append(f"{level.name}: {rows}")
                except psycopg.Error as error:
                    problems.append(f"{level.name}: {error}")
                    connection.rollback()
                reads += 1

    levels = [psycopg.IsolationLevel.READ_COMMITTED, psycopg.IsolationLevel.REPEATABLE_READ]
    readers = [threading.Thread(target=poll, args=(level,)) for level in levels]
    for reader in readers:
        reader.start()
    users, people = views / "users.sql", views / "views" / "people.sql"
    try:
        for size in (20, 21, 22):
            users.write_text(users.read_text().replace("    gender VARCHAR(16),", "    gender INTEGER,"))
            replace(users, f"level VARCHAR({16 if size == 20 else size - 1})", f"level VARCHAR({size})")
            replace(people, "    u.user_id,\n", f"    u.user_id,\n    {size} AS a{size},\n")
            create(viewed, views, "all")
            load(viewed, SIX, CODES, folder=views, changes="all")
            replace(users, "    gender INTEGER,", "    gender VARCHAR(16),")
            create(viewed, views, "all")
            load(viewed, SIX, USERS, folder=views, changes="all")
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert problems == []
    assert reads > 50


@pytest.mark.slow
def test_changes_that_are_killed_at_any_statement_keep_the_views(
    viewed: Lab, views: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    states: list[Any] = []

    def work() -> None:
        states.append(state(viewed))
        create(viewed, views, "all")

    before = state(viewed)
    replace(views / "users.sql", "level VARCHAR(16),", "level VARCHAR(20),")
    replace(views / "staging_events.sql", "    status INTEGER,", "    status BIGINT,")
    replace(views / "views" / "people.sql", "    u.level\n", "    u.level,\n    u.gender\n")
    assert killed_at_every_statement(monkeypatch, work) > 20
    assert states == [before] * len(states)
    assert create(viewed, views, "refuse")["schema_changes"] == 0
