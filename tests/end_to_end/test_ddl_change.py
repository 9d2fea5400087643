"""A change of the DDL between two ``make up``: another warehouse, with the whole history, in the same Airflow."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.conftest import ROOT
from tests.support.live import Site, empty_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.scheduler, pytest.mark.timeout(600)]

PLAYS = "SELECT DATE_TRUNC('hour', start_time), COUNT(*) FROM songplays WHERE start_time < %s GROUP BY 1 ORDER BY 1"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A copy of the project, whose DDL a test may change."""
    for name in ("dags", "include", "plugins", "sandbox"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    with empty_site(tmp_path) as site:
        yield site


def test_another_ddl_gets_another_warehouse_and_the_same_airflow(site: Site) -> None:
    first = site.up()
    before, runs = site.state, site.idle(180)
    loaded_until = max(run.interval.end for run in runs).replace(tzinfo=None)
    with psycopg.connect(before.database) as connection:
        plays = connection.execute(PLAYS, [loaded_until]).fetchall()
    with site.deployment().client() as client:
        client.post("/api/v2/connections", json={"connection_id": "slack_alerts", "conn_type": "slackwebhook"})
    site.make("down")
    assert "The DDL has changed" not in first

    ddl = site.root / "include" / "sql" / "ddl" / "users.sql"
    ddl.write_text(ddl.read_text().replace("level VARCHAR(16)", "level VARCHAR(17)"))
    second = site.up()
    after = site.state
    names = [uri.partition("?")[0].rpartition("/")[2] for uri in (before.database, after.database)]
    assert (
        f"The DDL has changed since the last `make up`: all hours are loaded into another warehouse, {names[1]}."
        in second
    )
    assert f"The old one is kept as database {names[0]}" in second
    assert "The DDL has changed" in site.make("status")

    again = site.idle(180)
    assert {run.run_id for run in runs} < {run.run_id for run in again}
    assert {run.state for run in again} == {"success"}
    with psycopg.connect(after.database) as connection:
        length = (
            "SELECT character_maximum_length FROM information_schema.columns WHERE (table_name, column_name) = (%s, %s)"
        )
        assert connection.execute(length, ["users", "level"]).fetchone() == (17,)
        assert connection.execute(PLAYS, [loaded_until]).fetchall() == plays
    passwords = re.compile(r"user \w+ password \S+")
    assert passwords.findall(second) == passwords.findall(first)
    with site.deployment().client() as client:
        assert client.get("/api/v2/connections/slack_alerts").json()["conn_type"] == "slackwebhook"
