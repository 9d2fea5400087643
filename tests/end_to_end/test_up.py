"""``make up``: the first start, scheduled loads, and recovery after parts of it are killed."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import psutil
import psycopg
import pytest

from sandbox import airflow, jobs, servers
from sandbox.lab import Lab
from sandbox.live_state import SupervisorFiles
from sparkify.interval import Interval, union
from tests.conftest import ROOT
from tests.support.live import Site, empty_site
from tests.support.processes import left_behind, session_members, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


pytestmark = pytest.mark.scheduler

DAG = f"/api/v2/dags/{airflow.DAG_ID}"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """An empty state; no process may use it at the end."""
    with empty_site() as site:
        yield site


@pytest.fixture(scope="module")
def first(site: Site) -> str:
    """The output of the first `make up`."""
    return site.up()


def test_a_used_port_is_reported_immediately(site: Site) -> None:
    with socket.create_server(("127.0.0.1", site.port)):
        printed = site.make("up", "--port", str(site.port), code=1)
    assert site.state.steps == []  # nothing was started
    assert f"Port {site.port} is taken (process {os.getpid()}, " in printed
    assert "make up PORT=" in printed
    assert left_behind(site.files.state) == []
    assert "The last start failed: Port" in site.make("status", code=3)


def test_the_first_start_loads_the_history(site: Site, first: str) -> None:
    url = f"http://127.0.0.1:{site.port}"
    assert re.search(rf"✓ Start Airflow {url} .* ✓ Load .* plays .* {url}", first)
    assert re.search(r"user admin password \S+ full access user viewer password \S+ read only", first)
    assert site.state.database in first
    assert httpx.get(url, follow_redirects=True, trust_env=False).status_code == 200


def test_the_tables_are_those_of_a_single_run(
    site: Site, first: str, make_lab: Callable[[], Lab], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = site.idle()
    assert {run.state for run in runs} == {"success"}
    assert {run.run_id.partition("__")[0] for run in runs} == {"first_load", "scheduled"}
    start, end = min(run.interval.start for run in runs), max(run.interval.end for run in runs)
    assert union(run.interval for run in runs) == (Interval(start, end),)
    assert (end - start).total_seconds() >= 24 * 3600
    loaded = Lab(site.state.database, servers.open_bucket(site.state.endpoint, "sparkify-live"), "sparkify-live", {})
    tables = loaded.tables()
    assert all(tables.values())
    lab = make_lab()
    for variable, value in lab.environment.items():
        monkeypatch.setenv(variable, value)
    # The app continues to write: compare only the songs that the runs have seen.
    keys = [key for (key,) in loaded.query("SELECT object_key FROM operations.staged_objects")]
    keys += [item["path"] for page in loaded.store.list("log_data") for item in page]
    for key in keys:
        lab.put(key, bytes(loaded.store.get(key).bytes()))
    lab.run(start.isoformat(), end.isoformat())
    assert tables == lab.tables()


def test_the_viewer_has_read_only_access(site: Site, first: str) -> None:
    order = {"logical_date": None, "conf": {"start": "2018-11-01T00:00:00Z", "end": "2018-11-02T00:00:00Z"}}
    with site.deployment().client("viewer") as client:
        assert client.get(DAG).json()["is_paused"] is False
        for call in (
            lambda: client.post(f"{DAG}/dagRuns", json=order),
            lambda: client.patch(DAG, json={"is_paused": True}),
        ):
            with pytest.raises(httpx.HTTPStatusError, match="with 403"):
                call()
    with site.deployment().client() as client:
        run = client.post(f"{DAG}/dagRuns", json=order).json()
        path = f"{DAG}/dagRuns/{run['dag_run_id']}"
        assert wait_until(lambda: client.get(path).json()["state"] == "success")
        client.delete(path)


def test_sixty_concurrent_requests_succeed(site: Site, first: str) -> None:
    """Each holds a connection to the metadata database while it waits for another."""
    with site.deployment().client("viewer") as client, ThreadPoolExecutor(60) as threads:
        client.get(DAG)  # the login
        answers = list(threads.map(lambda _: client.get(f"/ui/grid/runs/{airflow.DAG_ID}"), range(60)))
    assert {answer.status_code for answer in answers} == {200}


def test_a_second_up_changes_nothing(site: Site, first: str) -> None:
    before = site.sessions()
    printed = site.make("up")
    assert "already running" in printed
    assert f"http://127.0.0.1:{site.port} user admin" in printed
    assert f"To change the port: make down, then make up PORT={site.port + 1}" in site.make(
        "up", "--port", str(site.port + 1), code=2
    )
    assert site.sessions() == before


@pytest.mark.parametrize("module", ["sandbox.run", "sandbox.backfill"])
def test_other_commands_fail_while_it_runs(module: str, site: Site, first: str) -> None:
    printed = site.make(module=module, code=2)
    assert f"make up (process {site.state.pid}) is using {site.files.state}: `make down` stops it." in printed


def test_it_fails_while_another_command_runs(tmp_path: Path) -> None:
    other = Site(SupervisorFiles(tmp_path), 1)
    with jobs.lock_state(tmp_path, "make backfill"):
        for command in ("up", "down", "status"):
            printed = other.make(command, code=2)
            assert (
                f"make backfill (process {os.getpid()}) is using {tmp_path}: wait until it ends, or stop it" in printed
            )


def test_the_status_is_healthy(site: Site, first: str) -> None:
    site.idle()
    printed = site.make("status")
    assert printed.count("✓") == 7
    for name, component in site.state.components.items():
        assert f"✓ {name} {component.pid} " in printed
    assert re.search(r"Last run \[.*\) success in \d+ s, .* ago .*Next run \[.*\) in ", printed)
    assert wait_until(lambda: re.search(r"Last audit \[.*\) success", site.make("status")))
    assert re.search(r"Total \d+ runs; [\d,]+ plays in the warehouse", printed)


# Seconds until the reconciliation has loaded what differs. A run of the schedule makes it wait for some minutes.
RECONCILED = 240


def reconcile(site: Site) -> None:
    """Run a pass of the reconciliation."""
    with site.deployment().client() as client:
        run_id = client.trigger(airflow.RECONCILE_ID, {})
        path = f"/api/v2/dags/{airflow.RECONCILE_ID}/dagRuns/{quote(run_id)}"
        assert wait_until(lambda: client.get(path).json()["state"] == "success", 120)


def reconciled(site: Site, day: datetime) -> list[str]:
    """Return the runs that the reconciliation has triggered for a day."""
    runs = site.idle(RECONCILED)
    return [run.run_id for run in runs if run.run_id.startswith(f"reconcile__{day:%Y-%m-%dT00:00}") and run.ended]


def test_a_missed_day_is_loaded(site: Site, first: str) -> None:
    """As after a day on which the machine was asleep."""
    site.idle()
    reconcile(site)  # it knows that all is loaded
    day = datetime.now(UTC).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0) - timedelta(days=2)
    of_day = f"FROM songplays WHERE CAST(start_time AS DATE) = '{day:%F}'"
    with psycopg.connect(site.state.database) as connection:
        plays = connection.execute(f"SELECT COUNT(*) {of_day}").fetchone()
        connection.execute(f"DELETE {of_day}")
        connection.execute("DELETE FROM operations.staged_periods WHERE period_start = %s", [day])
    reconcile(site)
    assert wait_until(lambda: reconciled(site, day), RECONCILED)
    with psycopg.connect(site.state.database) as connection:
        assert connection.execute(f"SELECT COUNT(*) {of_day}").fetchone() == plays


def test_a_changed_file_is_loaded_again(site: Site, first: str) -> None:
    day = datetime.now(UTC) - timedelta(days=3)
    assert re.search(r"Source \d days up to date", site.make("status"))
    with psycopg.connect(site.state.database) as connection:
        plays = "SELECT COUNT(*) FROM songplays WHERE CAST(start_time AS DATE) = %s"
        before = connection.execute(plays, [day.date()]).fetchall()
        printed = site.make("change")
        assert f"Changed: the file of {day:%F} has one more play." in printed
        reconcile(site)
        assert wait_until(lambda: reconciled(site, day), RECONCILED)
        connection.rollback()
        assert connection.execute(plays, [day.date()]).fetchall() == [(before[0][0] + 1,)]
    assert "changed since" not in site.make("status")


def test_broken_events_fail_a_run_until_they_are_repaired(site: Site, first: str) -> None:
    site.idle()
    printed = site.make("break")
    found = re.search(r"with start (\S+) and end (\S+)", printed)
    assert found
    start, end = found.groups()
    assert "The hour from" in site.make("status")
    with site.deployment().client() as client:
        run_id = client.trigger(airflow.DAG_ID, {"start": start, "end": end})
        path = f"{DAG}/dagRuns/{run_id}"
        assert wait_until(lambda: client.get(path).json()["state"] == "failed", 120)
        (task,) = [
            task for task in client.get(f"{path}/taskInstances").json()["task_instances"] if task["state"] == "failed"
        ]
        assert task["task_id"] == "data_quality"
        assert "1 failed" in site.make("status")
        with psycopg.connect(site.state.database) as connection:
            # The hour is not over, so its volume may be low.
            results = """
                SELECT table_name, check_name, outcome FROM operations.data_quality_results
                WHERE run_id = %s AND outcome <> 'passed' AND kind <> 'volume' ORDER BY check_name
            """
            assert connection.execute(results, [run_id]).fetchall() == [
                ("songplays", "every level is free or paid", "failed"),
                ("events", "every level is free, paid or unknown", "failed"),
                ("songplays", "every play has a user", "warned"),
            ]
        assert f"/dags/{airflow.DAG_ID}/runs/{quote(run_id)}" in site.make("repair")
        client.post(f"{path}/clear", json={"dry_run": False})
        assert wait_until(lambda: client.get(path).json()["state"] == "success", 120)
        client.delete(path)
    with psycopg.connect(site.state.database) as connection:
        assert connection.execute("SELECT COUNT(*) FROM songplays WHERE level = 'gold'").fetchone() == (0,)
    assert "Nothing is broken." in site.make("repair")


def test_it_survives_sighup(site: Site, first: str) -> None:
    os.kill(site.state.pid, signal.SIGHUP)
    time.sleep(1)
    assert "✗" not in site.make("status")


def test_it_starts_again_after_a_crash(site: Site, first: str) -> None:
    """The supervisor is killed; the next start stops its orphans first, and loads nothing twice."""
    before = site.state
    sessions, runs = site.sessions(), site.idle()
    first_day = (site.files.bucket / "world.json").read_text()
    psutil.Process(before.pid).kill()
    migrated = Path(before.home, "migrated")
    revision, at = migrated.read_text(), migrated.stat().st_mtime
    migrated.write_text("3.3.1 of a former Airflow")
    printed = wait_until(lambda: jobs.lock_owner(site.files.state) is None) and site.make("status", code=3)
    assert "was not shut down cleanly: its supervisor was killed, or the machine went down" in printed
    printed = site.up()
    assert "✓ Start Airflow" in printed
    left = [process.pid for process in session_members(sessions)]
    assert [pid for pid in left if pid != before.components["postgres"].pid] == []  # it is reused
    assert site.state.pid != before.pid
    assert {run.run_id for run in runs} <= {run.run_id for run in site.idle()}
    days = [run.run_id for run in site.idle() if run.run_id.startswith(("first_load", "reconcile"))]
    assert len(days) == len({run_id.rpartition("__")[0] for run_id in days})
    passwords = re.compile(r"user \w+ password \S+")
    assert passwords.findall(printed) == passwords.findall(first)
    assert (site.files.bucket / "world.json").read_text() == first_day
    assert migrated.read_text() == revision
    assert migrated.stat().st_mtime > at


def test_a_killed_component_is_detected_and_restarted(site: Site, first: str) -> None:
    triggerer = site.state.components["triggerer"].pid
    log = Path(site.state.home, "logs", "migrate.log")
    migrated = log.stat().st_mtime
    psutil.Process(triggerer).kill()
    wait_until(lambda: site.state.ended)
    printed = site.make("status", code=1)
    assert re.search(rf"✗ triggerer {triggerer} was killed by SIGKILL at \d\d:\d\d:\d\d", printed)
    assert printed.count("✓") == 6
    printed = site.up()
    assert "The triggerer exited, restarting everything." in printed
    assert log.stat().st_mtime == migrated, "the same Airflow has migrated its database already"
    assert "✗" not in site.make("status")


def test_logs_cover_every_component(site: Site, first: str) -> None:
    printed = site.make("logs", "--no-follow")
    for name in ("supervisor", "feeder", "scheduler", "api-server", "dag-processor", "triggerer"):
        assert f"{name} " in printed
    assert "events today" in site.make("logs", "feeder", "--no-follow")


def test_down_only_stops_its_own_processes(site: Site, first: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(100)", "airflow", "rclone", "postgres"], start_new_session=True
    ) as foreign:
        sessions = site.sessions()
        try:
            assert "✓ Stop everything" in site.make("down")
            assert session_members(sessions) == []
            assert left_behind(site.files.state) == []
            assert foreign.poll() is None
        finally:
            foreign.kill()
    assert "Nothing is running." in site.make("down")
    assert "is not running. `make up` starts it." in site.make("status", code=3)


def test_it_can_be_stopped_while_it_starts(site: Site) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    with subprocess.Popen(
        [sys.executable, "-m", "sandbox.up", "up", "--port", str(site.port), "--state", site.files.state],
        cwd=ROOT,
        env={**environment, "PYTHONPATH": "plugins:dags"},
        stdout=subprocess.PIPE,
        text=True,
    ) as starting:

        def airflow_starts() -> Any:
            state = site.files.load()
            return state and state.phase == "starting" and any("Airflow" in step.title for step in state.steps)

        wait_until(airflow_starts)
        site.make("down")
        printed, _ = starting.communicate(timeout=30)
    assert starting.returncode == 1
    assert "Stopped during the start." in printed
    assert left_behind(site.files.state) == []
