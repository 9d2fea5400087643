"""A changed schema is applied to existing tables, and a changed SELECT rebuilds them."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException

from sparkify.loading.load import Load
from sparkify.operators import CreateTablesOperator, LoadDimensionOperator
from tests.conftest import ROOT
from tests.support.data import event

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.lab import Lab

DDL = ROOT / "include" / "sql" / "ddl"
FIVE, SIX = ("2018-11-01T05:00", "2018-11-01T06:00"), ("2018-11-01T06:00", "2018-11-01T07:00")


@pytest.fixture
def loaded(lab: Lab) -> Lab:
    """A lab with two loaded hours, of two users."""
    lab.put_events("2018-11-01", [event("2018-11-01T05:10", 1, userId="8"), event("2018-11-01T06:10", 2, userId="9")])
    lab.run(*FIVE)
    lab.run(*SIX)
    return lab


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the DDL in which users have two more columns."""
    folder = shutil.copytree(DDL, tmp_path / "ddl")
    replace(
        folder / "users.sql",
        "    level VARCHAR(16),\n",
        "    level VARCHAR(16),\n    initials VARCHAR(2),\n    country VARCHAR(2) ENCODE zstd NOT NULL DEFAULT 'US',\n",
    )
    return folder


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def create(lab: Lab, folder: Path) -> dict[str, Any]:
    """Apply the DDL; return the result of the task."""
    found: dict[str, Any] = lab.execute(
        CreateTablesOperator(task_id="create", ddl=[str(folder)]), start=FIVE[0], end=FIVE[1]
    )
    return found


def load(lab: Lab, hour: tuple[str, str], select: str) -> dict[str, Any]:
    """Load users with a changed SELECT; return the result of the task."""
    start, end = hour
    task = LoadDimensionOperator(
        task_id="load", table="users", keys=["user_id"], sql=select, interval_start=start, interval_end=end
    )
    found: dict[str, Any] = lab.execute(task, start=start, end=end)
    return found


@pytest.fixture
def select() -> str:
    """The SELECT of users with the new columns."""
    text = (ROOT / "include" / "sql" / "load" / "users.sql").read_text()
    assert "    e.level,\n" in text
    return text.replace(
        "    e.level,\n",
        "    e.level,\n    SUBSTRING(e.firstname, 1, 1) || SUBSTRING(e.lastname, 1, 1) AS initials,\n"
        "    CAST('US' AS VARCHAR(2)) AS country,\n",
    )


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
    monkeypatch.setattr(Load, "_rebuild", lambda self: pytest.fail("rebuilt"))
    text = (ROOT / "include" / "sql" / "load" / "users.sql").read_text()
    assert load(loaded, SIX, f"-- Another comment.\n{text}")["rows"] == 1


def test_a_changed_select_rebuilds_once(loaded: Lab) -> None:
    text = (ROOT / "include" / "sql" / "load" / "users.sql").read_text()
    changed = text.replace("    e.gender,\n", "    COALESCE(e.gender, 'X') AS gender,\n")
    assert changed != text
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
    text = (ROOT / "include" / "sql" / "load" / "users.sql").read_text()
    with pytest.raises(AirflowFailException, match=f"The columns of users and of its SELECT differ.*{message}"):
        load(loaded, SIX, text.replace(old, new))
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
