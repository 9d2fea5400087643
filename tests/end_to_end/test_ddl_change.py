"""A change of the DDL between two commands is applied to the same warehouse, by a run."""

from __future__ import annotations

import re
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest

from sandbox import airflow, servers
from tests.conftest import ROOT
from tests.support.live import Site, empty_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLAYS = "SELECT DATE_TRUNC('hour', start_time), COUNT(*) FROM songplays WHERE start_time < %s GROUP BY 1 ORDER BY 1"
LENGTH = "SELECT character_maximum_length FROM information_schema.columns WHERE (table_name, column_name) = (%s, %s)"
# The users whose row has the method of their latest event, and all users.
FILLED = """
    SELECT COUNT(*) FILTER (WHERE e.method = u.method), COUNT(DISTINCT u.user_id) FROM users AS u
    INNER JOIN staging_events AS e ON u.user_id = e.userid
    WHERE e.ts = (SELECT MAX(ts) FROM staging_events WHERE userid = u.user_id)
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A copy of the project, whose DDL a test may change."""
    for name in ("dags", "include", "plugins", "sandbox"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    with empty_site(tmp_path) as site:
        yield site


def replace(site: Site, name: str, old: str, new: str) -> None:
    """Replace a part of a SQL file."""
    path = site.root / "include" / "sql" / name
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


@pytest.mark.scheduler
@pytest.mark.timeout(600)
def test_a_new_column_is_filled_for_the_whole_history(site: Site) -> None:
    first = site.up()
    before, runs = site.state, site.idle(180)
    last = max(run.interval.end for run in runs)
    loaded_until = last.replace(tzinfo=None)
    with psycopg.connect(before.database) as connection:
        plays = connection.execute(PLAYS, [loaded_until]).fetchall()
    with site.deployment().client() as client:
        client.post("/api/v2/connections", json={"connection_id": "slack_alerts", "conn_type": "slackwebhook"})
    site.make("down")

    replace(site, "ddl/users.sql", "    level VARCHAR(16),\n", "    level VARCHAR(16),\n    method VARCHAR(16),\n")
    replace(site, "load/users.sql", "    e.level,\n", "    e.level,\n    e.method,\n")
    second = site.up()
    after = site.state  # at another address
    assert {state.database.partition("?")[0].rpartition("/")[2] for state in (before, after)} == {"sparkify-live"}
    with site.deployment().client() as client:
        hour = {"start": (last - timedelta(hours=1)).isoformat(), "end": last.isoformat()}
        client.trigger(airflow.DAG_ID, hour)
        assert client.get("/api/v2/connections/slack_alerts").json()["conn_type"] == "slackwebhook"
    again = site.idle(180)
    assert {run.run_id for run in runs} < {run.run_id for run in again}
    assert {run.state for run in again} == {"success"}
    with psycopg.connect(after.database) as connection:
        filled = connection.execute(FILLED).fetchone()
        assert filled
        assert filled[0] >= filled[1] > 0
        assert connection.execute("SELECT COUNT(*) FROM users WHERE method IS NULL").fetchone() == (0,)
        assert connection.execute(PLAYS, [loaded_until]).fetchall() == plays
    passwords = re.compile(r"user \w+ password \S+")
    assert passwords.findall(second) == passwords.findall(first)


@pytest.mark.slow
def test_make_run_applies_changes_that_rebuild_a_table(site: Site) -> None:
    hours = ["--from", "2018-11-01T14:00", "--to", "2018-11-01T16:00"]
    site.make(*hours, module="sandbox.run")
    for length, more in ((8, []), (4, ["--hourly"])):
        replace(site, "ddl/users.sql", f"gender VARCHAR({2 * length})", f"gender VARCHAR({length})")
        site.make(*hours, *more, module="sandbox.run")
        with servers.postgres(site.files.state / "postgres") as server:
            assert [name for name in server.databases() if name != "postgres"] == ["sparkify-sample"]
            with psycopg.connect(server.uri("sparkify-sample")) as connection:
                assert connection.execute(LENGTH, ["users", "gender"]).fetchone() == (length,)
                assert connection.execute("SELECT COUNT(*) > 0 FROM users").fetchone() == (True,)


@pytest.mark.slow
def test_make_run_replaces_the_rows_of_a_changed_select(site: Site) -> None:
    site.make("--from", "2018-11-01T14:00", "--to", "2018-11-01T15:00", module="sandbox.run")
    assert "The warehouse is up to date." in site.make(module="sandbox.schema")
    replace(site, "load/songplays.sql", "    e.useragent AS user_agent,\n", "    'Y' AS user_agent,\n")
    plan = site.make(module="sandbox.schema", code=2)
    assert "songplays: its SELECT is new or has changed load_songplays replaces all rows" in plan
    assert "The next run applies 1 change." in plan
    site.make("--from", "2018-11-01T15:00", "--to", "2018-11-01T16:00", module="sandbox.run")
    assert "The warehouse is up to date." in site.make(module="sandbox.schema")
    with (
        servers.postgres(site.files.state / "postgres") as server,
        psycopg.connect(server.uri("sparkify-sample")) as connection,
    ):
        assert connection.execute("SELECT DISTINCT user_agent FROM songplays").fetchall() == [("Y",)]
