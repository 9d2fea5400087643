"""The output of ``make schema``."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import psycopg
import pytest

from sandbox import schema
from tests.integration.schema.conftest import FIVE, SIX, create, replace
from tests.support.data import event

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.lab import Lab


@pytest.fixture
def loaded(lab: Lab) -> Lab:
    """A lab with two loaded hours."""
    lab.put_events("2018-11-01", [event("2018-11-01T05:10", 1, userId="8"), event("2018-11-01T06:10", 2, userId="9")])
    lab.run(FIVE[0], SIX[1])
    return lab


@pytest.fixture
def ddl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the DDL, which the command reads."""
    shutil.copytree(schema.SQL, tmp_path / "sql")
    monkeypatch.setattr(schema, "SQL", tmp_path / "sql")
    return tmp_path / "sql" / "ddl"


def test_an_equal_schema_has_no_plan(loaded: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    assert schema.main([]) == 0
    assert capsys.readouterr().out == (
        "Schema  the connection of AIRFLOW_CONN_REDSHIFT, compared with include/sql/ddl\n\n"
        "✓ The warehouse is up to date.\n"
    )


def test_each_change_has_its_sql_and_its_cost(loaded: Lab, ddl: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = loaded.tables()
    replace(ddl / "users.sql", "    level VARCHAR(16),\n", "    level VARCHAR(20),\n    country VARCHAR(2),\n")
    replace(ddl / "songs.sql", "    year INTEGER,", "    year BIGINT,")
    replace(ddl / "staging_events.sql", "    status INTEGER,", "    status BIGINT,")
    with psycopg.connect(loaded.uri) as connection:
        connection.execute("ALTER TABLE songs ADD COLUMN note VARCHAR(9)")
        connection.execute("ANALYZE")
        connection.execute("UPDATE operations.table_definitions SET is_current = FALSE WHERE table_name = 'time'")
    assert schema.main([]) == 2
    printed = capsys.readouterr().out
    for text in (
        "+ users: add the column country VARCHAR(2)\n    locks the table for a moment; rewrites nothing\n"
        "    ALTER TABLE users ADD COLUMN country VARCHAR(2)\n",
        "    ALTER TABLE users ALTER COLUMN level TYPE VARCHAR(20)\n",
        "! songs: type of year INTEGER -> BIGINT\n    writes a new table beside the old one, then swaps them",
        "    INSERT INTO songs__rebuild (song_id, title,",
        "    FROM staging_songs AS",
        "    ALTER TABLE songs__rebuild RENAME TO songs;\n",
        "readers wait for the swap only; about 2 rows\n",
        "    CAST(status AS BIGINT) AS status",
        "~ time: its SELECT is new or has changed\n    load_time replaces all rows, in one transaction; about 2 rows\n",
        "  songs.note is not declared; it is kept\n",
        "Nothing was changed. The next run applies 3 changes; the other 2 only with the param schema_changes = all.\n",
    ):
        assert text in printed
    assert loaded.tables() == before


def test_histories_and_aggregates_are_rebuilt_by_their_strategies(
    loaded: Lab, ddl: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replace(ddl / "users_history.sql", "    gender VARCHAR(16),", "    gender VARCHAR(8),")
    replace(ddl / "daily_songs.sql", "    plays BIGINT NOT NULL,", "    plays INTEGER NOT NULL,")
    with psycopg.connect(loaded.uri) as connection:
        connection.execute("UPDATE operations.table_definitions SET is_current = FALSE WHERE table_name = 'sessions'")
    assert schema.main([]) == 2
    printed = capsys.readouterr().out
    for text in (
        "! users_history: type of gender VARCHAR(16) -> VARCHAR(8)\n",
        "    INSERT INTO users_history__rebuild (user_id, valid_from, first_name,",
        "valid_to, is_current",
        "LEAD(",
        "! daily_songs: type of plays BIGINT -> INTEGER\n",
        "    INSERT INTO daily_songs__rebuild (day, song, artist, song_key, plays, listeners)\n",
        "    FROM events AS e\n",
        "~ sessions: its SELECT is new or has changed\n    load_sessions replaces all rows, in one transaction",
    ):
        assert text in printed


def test_older_code_and_invalid_ddl_are_errors(loaded: Lab, ddl: Path, capsys: pytest.CaptureFixture[str]) -> None:
    replace(ddl / "users.sql", "    level VARCHAR(16),\n", "    level VARCHAR(16),\n    country VARCHAR(2),\n")
    create(loaded, ddl)
    replace(ddl / "users.sql", "    country VARCHAR(2),\n", "")
    assert schema.main([]) == 1
    assert "✗ This code is older than the warehouse: it has version 1 of the schema of users" in capsys.readouterr().out
    replace(ddl / "users.sql", "CREATE TABLE IF NOT EXISTS", "CREATE TABLE")
    assert schema.main([]) == 1
    assert "✗ users.sql line 5: expected CREATE TABLE IF NOT EXISTS" in capsys.readouterr().out


def test_a_missing_connection_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert schema.main(["--connection", "other"]) == 1
    assert "The Airflow connection 'other' does not exist" in capsys.readouterr().out


def test_without_a_warehouse_all_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_REDSHIFT", raising=False)
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "sqlite://")  # restores it: the command sets it
    assert schema.main(["--state", str(tmp_path)]) == 2
    assert "'make run' creates one" in capsys.readouterr().out
