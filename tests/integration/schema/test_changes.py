"""A changed schema is applied to existing tables, and a changed SELECT rebuilds them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException

from sparkify.loading.newest import Newest
from sparkify.warehouse.postgres.session import Postgres
from tests.integration.schema.conftest import DDL, FIVE, SIX, USERS, create, load, replace
from tests.support.data import event, song

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.lab import Lab


def test_a_new_column_is_added_and_filled_for_the_whole_history(loaded: Lab, folder: Path, select: str) -> None:
    before = loaded.query("SELECT user_id, level, interval_time FROM users ORDER BY 1")
    assert create(loaded, folder)["schema_changes"] == 2
    assert loaded.query("SELECT initials, country FROM users ORDER BY 1") == [(None, "US")] * 2
    assert create(loaded, folder)["schema_changes"] == 0
    assert load(loaded, SIX, select)["rows"] == 2
    assert loaded.query("SELECT user_id, initials FROM users ORDER BY 1") == [(8, "KS"), (9, "KS")]
    assert loaded.query("SELECT user_id, level, interval_time FROM users ORDER BY 1") == before


def test_a_dropped_table_is_created_with_the_rows_of_the_whole_history(loaded: Lab) -> None:
    before = loaded.tables()
    with psycopg.connect(loaded.uri) as connection:
        connection.execute("DROP TABLE users")
    loaded.run(*SIX)
    assert loaded.tables() == before


def test_an_unchanged_definition_is_merged(loaded: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Newest, "rebuild", lambda *_: pytest.fail("rebuilt"))
    assert load(loaded, SIX, f"-- Another comment.\n{USERS}")["rows"] == 1


def test_a_changed_select_rebuilds_once(loaded: Lab) -> None:
    changed = USERS.replace("    e.gender,\n", "    COALESCE(e.gender, 'X') AS gender,\n")
    assert changed != USERS
    assert [load(loaded, SIX, changed)["rows"] for _ in range(2)] == [2, 1]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    e.gender,\n", "", r"Only in the table: gender\."),
        ("    e.gender,\n", "    e.gender,\n    e.auth,\n", r"Only in the SELECT: auth\."),
        ("    e.gender,\n", "    e.gender AS sex,\n", r"Only in the table: gender\. Only in the SELECT: sex\."),
    ],
)
def test_a_select_with_other_columns_than_its_table_loads_nothing(
    loaded: Lab, old: str, new: str, message: str
) -> None:
    before = loaded.tables()
    with pytest.raises(AirflowFailException, match=f"The columns of users and of its SELECT differ.*{message}"):
        load(loaded, SIX, USERS.replace(old, new))
    assert loaded.tables() == before


def test_a_required_column_without_a_default_changes_nothing(loaded: Lab, folder: Path) -> None:
    replace(folder / "users.sql", " NOT NULL DEFAULT 'US'", " NOT NULL")
    with pytest.raises(AirflowFailException, match=r"users: add the column country.*users\.sql line \d+(.|\n)*DEFAULT"):
        create(loaded, folder)
    assert "initials" not in [name for (name,) in loaded.query("SELECT attname FROM pg_attribute")]


def test_concurrent_runs_add_a_column_once(loaded: Lab, folder: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        executed = list(pool.map(lambda _: create(loaded, folder)["schema_changes"], range(4)))
    assert sorted(executed) == [0, 0, 0, 2]


def test_an_undeclared_column_is_kept_with_a_warning(loaded: Lab, caplog: pytest.LogCaptureFixture) -> None:
    with psycopg.connect(loaded.uri) as connection:
        connection.execute("ALTER TABLE users ADD COLUMN initials VARCHAR(2)")
    assert create(loaded, DDL)["schema_changes"] == 0
    assert "Column without a declaration, kept: column=users.initials" in caplog.text


def test_the_columns_of_a_changed_table_are_as_declared(loaded: Lab, ddl: Path) -> None:
    replace(ddl / "users.sql", "level VARCHAR(16)", "level VARCHAR(20)")
    replace(ddl / "staging_events.sql", "SORTKEY (interval_time)", "SORTKEY (interval_time, userid)")
    assert create(loaded, ddl)["schema_changes"] == 1
    length = "SELECT atttypmod - 4 FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = 'level'"
    assert loaded.one(length) == 20
    assert create(loaded, ddl, "all")["schema_changes"] == 1
    index = "SELECT indexdef FROM pg_indexes WHERE indexname = 'staging_events_sortkey'"
    assert loaded.one(index).endswith("(interval_time, userid)")
    assert create(loaded, ddl, "refuse")["schema_changes"] == 0


def test_concurrent_runs_widen_a_column_once(loaded: Lab, ddl: Path) -> None:
    replace(ddl / "users.sql", "level VARCHAR(16)", "level VARCHAR(20)")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: create(loaded, ddl), range(4)))
    assert create(loaded, ddl, "refuse")["schema_changes"] == 0


def test_descriptions_are_in_the_database(loaded: Lab, ddl: Path) -> None:
    replace(
        ddl / "users.sql", "-- First name, as the user entered it. Personal.", "-- The user's first name. Personal."
    )
    create(loaded, ddl)
    described = "SELECT col_description('users'::regclass, 2), obj_description('users'::regclass)"
    assert loaded.query(described) == [
        (
            "The user's first name. Personal.",
            "One row per user id in any event; level is that of the user's latest event.",
        )
    ]


def test_refused_changes_change_nothing(loaded: Lab, folder: Path) -> None:
    with pytest.raises(AirflowFailException, match=r"refuses schema changes(.|\n)*- users: add the column initials"):
        create(loaded, folder, "refuse")
    assert "initials" not in [name for (name,) in loaded.query("SELECT attname FROM pg_attribute")]


def test_an_empty_database_is_refused_without_a_change(empty_lab: Lab) -> None:
    with pytest.raises(AirflowFailException, match=r"\n- create table operations\.table_definitions\n"):
        create(empty_lab, DDL, "refuse")
    assert empty_lab.query("SELECT 1 FROM pg_tables WHERE schemaname = 'operations'") == []


def test_pending_changes_are_logged_and_the_run_goes_on(
    loaded: Lab, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    replace(folder / "users.sql", "    gender VARCHAR(16),", "    gender VARCHAR(8),")
    assert create(loaded, folder)["schema_changes"] == 2
    assert "Pending schema change, not applied: table=users change='type of gender VARCHAR(16) -> VARCHAR(8)'" in (
        caplog.text
    )


def test_a_column_is_dropped_only_if_the_ddl_says_so(loaded: Lab, folder: Path) -> None:
    create(loaded, folder)
    replace(folder / "users.sql", "    initials VARCHAR(2),\n", "")
    assert create(loaded, folder, "all")["schema_changes"] == 0
    users = folder / "users.sql"
    users.write_text(users.read_text() + "ALTER TABLE users DROP COLUMN initials;\n")
    assert create(loaded, folder)["schema_changes"] == 0
    assert create(loaded, folder, "all")["schema_changes"] == 1
    assert "initials" not in [name for (name,) in loaded.query("SELECT attname FROM pg_attribute")]
    assert create(loaded, folder, "refuse")["schema_changes"] == 0


def test_an_invalid_policy_is_an_error(loaded: Lab) -> None:
    with pytest.raises(AirflowFailException, match="expected additive, all or refuse, got 'any'"):
        create(loaded, DDL, "any")


def test_a_new_column_of_a_staging_table_is_filled_by_a_full_refresh(
    lab: Lab, ddl: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.put_events("2018-11-01", [event("2018-11-01T05:10", 1, device="phone"), event("2018-11-01T06:10", 2)])
    lab.put_song("one", song("SO1", mood="calm"))
    lab.run(FIVE[0], SIX[1])
    replace(ddl / "staging_events.sql", "    userid BIGINT,\n", "    userid BIGINT,\n    device VARCHAR(16),\n")
    replace(ddl / "staging_songs.sql", "    year INTEGER,\n", "    year INTEGER,\n    mood VARCHAR(16),\n")
    for task in lab.dag.tasks:
        if hasattr(task, "ddl"):
            monkeypatch.setattr(task, "ddl", [str(ddl)])
    lab.run(*SIX)
    assert "is NULL, or its DEFAULT, in rows that are staged already: table=staging_events" in caplog.text
    assert lab.query("SELECT DISTINCT device FROM staging_events") == [(None,)]
    lab.run(FIVE[0], SIX[1], full_refresh=True)
    assert lab.query("SELECT device FROM staging_events ORDER BY ts") == [("phone",), (None,)]
    assert lab.query("SELECT mood FROM staging_songs") == [("calm",)]


@pytest.mark.parametrize("is_applied", [True, False])
def test_a_change_that_a_concurrent_run_has_applied_is_no_error(
    loaded: Lab, ddl: Path, monkeypatch: pytest.MonkeyPatch, is_applied: bool
) -> None:
    """Redshift may refuse a length that the column has already."""

    def refused(self: Postgres, sql: str) -> None:
        if is_applied:
            with psycopg.connect(loaded.uri) as connection:
                connection.execute(sql.encode())
        raise psycopg.errors.FeatureNotSupported("the same length")

    replace(ddl / "users.sql", "level VARCHAR(16)", "level VARCHAR(20)")
    monkeypatch.setattr(Postgres, "autocommit", refused)
    if is_applied:
        assert create(loaded, ddl)["schema_changes"] == 1
    else:
        with pytest.raises(psycopg.errors.FeatureNotSupported, match="the same length"):
            create(loaded, ddl)
