"""The output of ``make quality``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException

from sandbox import jobs, quality, servers
from sparkify.quality.declaration import load
from tests.conftest import ROOT
from tests.support.data import event, song

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.lab import Lab

# Of an hour's rows.
CHECKS = sum(check.scope == "interval" for check in load(ROOT / "include" / "checks"))
DAY = ("2018-11-08", "2018-11-09")


@pytest.fixture(autouse=True)
def no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undefine the connection, which the command also defines."""
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT", "")
    monkeypatch.delenv("AIRFLOW_CONN_REDSHIFT")


@pytest.fixture
def loaded(lab: Lab) -> Lab:
    lab.put_events("2018-11-08", [event("2018-11-08T05:10")])
    lab.put_song("one", song("SO1"))
    lab.run(*DAY)
    return lab


def test_all_is_well(loaded: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    assert quality.main([]) == 0
    printed = capsys.readouterr().out
    assert f"Data quality  {CHECKS} of {CHECKS} checks passed, the connection of AIRFLOW_CONN_REDSHIFT" in printed
    assert "✓ every level is free or paid" in printed
    assert "What to do" not in printed


def test_the_latest_outcome_and_the_remedy_are_shown(loaded: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    with psycopg.connect(loaded.uri) as connection:
        connection.execute("UPDATE songplays SET level = 'gold', user_id = NULL")
    with pytest.raises(AirflowFailException):
        loaded.run(*DAY, tasks=["data_quality"])
    assert quality.main([]) == 1
    printed = capsys.readouterr().out
    assert f"{CHECKS - 3} of {CHECKS} checks passed" in printed  # events differ from songplays, too
    lines = printed.splitlines()
    (line,) = [line for line in lines if line.startswith("✗ every level is free or paid")]
    assert line.endswith("1 of 1 rows  ✓")
    assert "! every play has a user" in printed
    assert "level gold" in printed
    assert "What to do  The app sent a new or invalid level." in printed
    with psycopg.connect(loaded.uri) as connection:
        connection.execute("UPDATE songplays SET level = 'free', user_id = 8")
    loaded.run(*DAY, tasks=["data_quality"])
    assert quality.main([]) == 0
    assert "✓✗" in capsys.readouterr().out


def test_the_server_of_another_command_is_shared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`make quality` while `make up` runs: it neither stops the server nor starts a second one."""
    with jobs.lock_state(tmp_path, jobs.UP), servers.postgres(tmp_path / "postgres") as server:
        assert quality.main(["--state", str(tmp_path)]) == 2
        assert "No check has been evaluated yet" in capsys.readouterr().out
        assert servers.running_postgres(tmp_path / "postgres") == server
        with psycopg.connect(server.uri()) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_starting_command_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "postgres").mkdir()
    with jobs.lock_state(tmp_path, jobs.UP):
        assert quality.main(["--state", str(tmp_path)]) == 2
    assert "is using" in capsys.readouterr().out


def test_nothing_was_evaluated_yet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert quality.main(["--state", str(tmp_path)]) == 2
    assert "'make run' loads data and evaluates the checks" in capsys.readouterr().out
