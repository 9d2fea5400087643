"""The reconciliation on Airflow's scheduler loads exactly what was missed, even if its tasks are killed."""

from __future__ import annotations

import random
import signal
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import psutil
import psycopg
import pytest

from sandbox import airflow, servers
from sandbox.api import dag_run_path
from sandbox.deployment import LocalDeployment, run_deployment
from sandbox.lab import Lab
from tests.conftest import ROOT
from tests.support.data import event, song
from tests.support.processes import FAST_RETRIES, session_members, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.api import AirflowClient

pytestmark = [pytest.mark.scheduler, pytest.mark.timeout(900)]

RECONCILE_ID = "sparkify_reconcile"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# The middle of this hour: the hours that were missed must not change during the test.
NOW = datetime.now(UTC).replace(minute=30, second=0, microsecond=0)
# The reconciliation's DAG, at that time, with a retry delay of one second.
RECONCILE = (
    FAST_RETRIES.replace("sparkify_warehouse", RECONCILE_ID).replace("in dag.tasks", "in [dag.get_task('reconcile')]")
    + f"""
from datetime import datetime

from sparkify.operators import ReconcileOperator

ReconcileOperator.now = staticmethod(lambda: datetime.fromisoformat("{NOW.isoformat()}"))
"""
)


class Site(NamedTuple):
    """A running Airflow, and the warehouse that it loads.

    :param today: the start of the day.
    :param missed: the first hour of today that is not loaded.
    """

    deployment: LocalDeployment
    client: AirflowClient
    metadata: str
    lab: Lab
    today: datetime
    missed: datetime

    def put(self, day: datetime, plays: int) -> None:
        """Write the file of a day; the number of plays is its version."""
        self.lab.put_events(
            f"{day:%Y-%m-%d}",
            [
                event((day + number * timedelta(minutes=7)).isoformat()[:19], day.day, number, userId=str(number % 4))
                for number in range(plays)
            ],
        )

    def plays(self, day: datetime) -> int:
        """Return the number of plays of a day in the warehouse."""
        start = day.replace(tzinfo=None)
        found: int = self.lab.one(
            f"SELECT COUNT(*) FROM songplays WHERE start_time >= '{start}' AND start_time < '{start + DAY}'"
        )
        return found

    def begin_pass(self) -> str:
        """Trigger a pass, and return its run id."""
        return self.client.trigger(RECONCILE_ID, {})

    def end_pass(self, run_id: str) -> None:
        """Wait until a pass has ended, and all runs that it has triggered."""

        def ended() -> bool:
            state = self.client.get(dag_run_path(RECONCILE_ID, run_id)).json()["state"]
            assert state != "failed"
            return bool(state == "success") and not self.query(
                "SELECT 1 FROM dag_run WHERE dag_id = 'sparkify_warehouse' AND state IN ('queued', 'running')"
            )

        wait_until(ended, 240)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Query Airflow's metadata database."""
        with psycopg.connect(self.metadata) as connection:
            return connection.execute(sql).fetchall()

    def loaded(self) -> list[tuple[str, str]]:
        """Return the intervals and the states of the runs that were triggered, in order."""
        return self.query(
            "SELECT SPLIT_PART(run_id, '__', 2), state FROM dag_run WHERE dag_id = 'sparkify_warehouse' "
            "AND run_id LIKE 'reconcile%' ORDER BY run_id"
        )

    def differences(self) -> list[tuple[Any, ...]]:
        """Return the recorded differences."""
        return self.lab.query("SELECT period_start, state, version, attempts FROM operations.source_differences")

    def incidents(self) -> list[str]:
        """Return the open incidents of all DAGs."""
        found = self.client.get("/api/v2/variables", params={"variable_key_pattern": "sparkify_incidents_%"}).json()
        return [item["value"] for item in found["variables"] if item["value"] != "{}"]


@pytest.fixture(scope="module")
def site(
    postgres: servers.PostgresServer, s3: servers.S3Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """An Airflow whose DAGs are paused, and a warehouse that is loaded until five hours ago."""
    home = tmp_path_factory.mktemp("deployment")
    name = "reconciled"
    lab = Lab(postgres.create_database(name), servers.bucket(s3, name), name, airflow.connections(postgres, name, s3))
    dags = tmp_path_factory.mktemp("dags")
    (dags / "impatient.py").write_text(FAST_RETRIES)
    (dags / "impatient_reconcile.py").write_text(RECONCILE)
    metadata = postgres.create_database("reconciled-airflow")
    environment = airflow.environment(
        home, metadata=airflow.sqlalchemy_url(metadata), postgres=postgres, database=name, s3=s3, bucket=name
    )
    environment |= {
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        # No scheduled run: exactly what the reconciliation triggers is loaded.
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
        "AIRFLOW_VAR_SPARKIFY_RECONCILE_SINCE": f"{NOW - 9 * DAY:%Y-%m-%d}",
        "PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT / 'dags'}",
    }
    with run_deployment(home, environment, dag_ids=[RECONCILE_ID, airflow.DAG_ID]) as deployment:
        today = NOW.replace(hour=0, minute=0)
        with deployment.client() as client:
            site = Site(deployment, client, metadata, lab, today, NOW.replace(minute=0) - 5 * HOUR)
            for day in range(-9, 0):
                if day != -5:
                    site.put(today + day * DAY, 150)
            # Plays until 19:50, after the latest first hour that can be missed, 18:00: what a later version of the file
            # adds to hours that are loaded would have to wait for the end of the day.
            site.put(today, 170)
            lab.put_song("0", song("SO1"))
            with pytest.MonkeyPatch.context() as patch:
                for variable, value in lab.environment.items():
                    patch.setenv(variable, value)
                lab.run(f"{today - 9 * DAY:%Y-%m-%dT%H:%M}", f"{site.missed:%Y-%m-%dT%H:%M}")
            yield site
        sessions = [process.pid for process in deployment.processes.values()]
    assert session_members(sessions) == []


def span(start: datetime, end: datetime) -> str:
    """Return an interval as in a run's id."""
    return f"{start:%Y-%m-%dT%H:%M}_{end:%Y-%m-%dT%H:%M}"


def test_one_pass_loads_what_was_missed_while_the_dag_was_paused(site: Site) -> None:
    """Five hours, a file of last week that has changed, and a day that was forgotten."""
    today, missed = site.today, site.missed
    changed, forgotten = today - 7 * DAY, today - 5 * DAY
    site.put(changed, 160)
    site.put(forgotten, 170)
    site.put(today, 200)
    site.client.unpause(RECONCILE_ID)
    site.end_pass(site.begin_pass())
    assert site.loaded() == []  # the DAG is still paused
    assert {row[1] for row in site.differences()} == {"changed", "missing"}

    site.client.unpause(airflow.DAG_ID)
    site.end_pass(site.begin_pass())
    # A day that ended meanwhile is loaded as a whole.
    hours = span(missed if missed >= today else today - DAY, missed + 5 * HOUR)
    assert site.loaded() == [
        (span(changed, changed + DAY), "success"),
        (span(forgotten, forgotten + DAY), "success"),
        (hours, "success"),
    ]
    assert site.plays(changed) == 160
    assert site.plays(forgotten) == 170
    until = missed + 5 * HOUR
    expected = sum(today + number * timedelta(minutes=7) < until for number in range(200))
    assert site.plays(today) == expected
    site.end_pass(site.begin_pass())
    assert len(site.loaded()) == 3
    assert site.differences() == []
    assert site.incidents() == []


def test_a_killed_pass_loads_nothing_twice_and_forgets_nothing(site: Site) -> None:
    """Its processes are killed at random moments, before and after the differences are recorded and triggered."""
    site.client.unpause(airflow.DAG_ID)
    site.client.unpause(RECONCILE_ID)
    before = len(site.loaded())
    killed = 0
    rounds = [(-9, -8), (-6,), (-4,), (-2,)]
    for number, numbers in enumerate(rounds):
        days = [site.today + day * DAY for day in numbers]
        for day in days:
            site.put(day, 180 + number)
        run_id = site.begin_pass()
        killed += kill_a_task(site, run_id, random.uniform(0, 2.5) if number else 0)
        site.end_pass(run_id)
        site.end_pass(site.begin_pass())
        assert [site.plays(day) for day in days] == [180 + number for _ in days]
    assert killed
    loaded = site.loaded()
    assert {state for _, state in loaded} == {"success"}
    assert len(loaded) == len({interval for interval, _ in loaded}) == before + len(rounds)
    assert site.differences() == []
    assert site.incidents() == []


def kill_a_task(site: Site, run_id: str, seconds: float) -> int:
    """Kill the processes of a pass some time after the first one has begun; return the number of killed ones."""
    running = (
        f"SELECT id FROM task_instance WHERE dag_id = '{RECONCILE_ID}' AND run_id = '{run_id}' AND state = 'running'"
    )
    wait_until(lambda: site.query(running), 60)
    time.sleep(seconds)
    killed = 0
    for (task,) in site.query(running):
        for process in session_members([item.pid for item in site.deployment.processes.values()]):
            with suppress(psutil.NoSuchProcess):
                if process.name().startswith(f"airflow worker -- {task}"):
                    process.send_signal(signal.SIGKILL)
                    killed += 1
    return killed
