"""On Airflow's real scheduler: a bad hour is told, and that it is good again; a backfill sends one summary."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import httpx
import psycopg
import pytest

from sandbox import airflow, servers
from sandbox.backfill_client import HOUR, Backfill, BackfillOptions
from sandbox.deployment import LocalDeployment, run_deployment
from sandbox.lab import Lab
from tests.conftest import ROOT
from tests.support import receivers
from tests.support.data import event, song
from tests.support.processes import IMPATIENT, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.api import AirflowClient

pytestmark = pytest.mark.scheduler

DAY = datetime(2018, 11, 1, tzinfo=UTC)
LATE = '''
"""An Airflow DAG whose task waits, and some whose processes are killed: the task's, the worker's too."""
import os
import signal
import time
from datetime import datetime, timedelta

from airflow.sdk import DAG, task
from sparkify.alerts import AlertNotifier, deadline

for name, limit in (("waits", 8), ("is_killed", 8), ("is_lost", 3600)):
    with DAG(name, schedule=None, start_date=datetime(2018, 11, 1), deadline=deadline(timedelta(seconds=limit))):

        @task(task_id=name, on_failure_callback=AlertNotifier())
        def work(name):
            if name == "is_lost":
                os.kill(os.getppid(), signal.SIGKILL)
            if name != "waits":
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(15)

        work(name)
'''


class Site(NamedTuple):
    """A running Airflow, the warehouse that it loads, and who is told."""

    deployment: LocalDeployment
    client: AirflowClient
    metadata: str
    lab: Lab
    hook: receivers.Hook
    mail: receivers.Mailbox

    def run(self, begin: datetime | None = None, dag_id: str = airflow.DAG_ID) -> tuple[str, str]:
        """Load an hour, and return its run and how that ended."""
        conf = {"start": begin.isoformat(), "end": (begin + HOUR).isoformat()} if begin else {}
        dag = f"/api/v2/dags/{dag_id}"
        self.client.patch(dag, json={"is_paused": False})
        made = self.client.post(f"{dag}/dagRuns", json={"logical_date": None, "conf": conf}).json()["dag_run_id"]
        return made, self.end(made, dag_id)

    def end(self, run: str, dag_id: str = airflow.DAG_ID) -> str:
        """Wait until a run has ended, and return how."""

        def ended() -> str | None:
            self.deployment.check()
            state = self.client.get(f"/api/v2/dags/{dag_id}/dagRuns/{quote(run, safe='')}").json()["state"]
            return state if state in ("success", "failed") else None

        return wait_until(ended, 120)

    def deadline(self, run: str) -> datetime:
        """Return when a run is late."""
        query = "SELECT deadline_time FROM deadline JOIN dag_run ON dag_run.id = dagrun_id WHERE run_id = %s"
        with psycopg.connect(self.metadata) as connection:
            ((found,),) = connection.execute(query, [run]).fetchall()
        assert isinstance(found, datetime)
        return found

    def told(self) -> list[str]:
        """Return the messages since the last call, when nothing more is under way."""
        time.sleep(2)  # a callback runs after its task has ended
        found = list(self.hook.texts)
        assert len(self.mail.mails) == len(found)
        self.hook.posts.clear()
        self.mail.mails.clear()
        return found


@pytest.fixture(scope="module")
def site(postgres: servers.Postgres, s3: servers.S3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An Airflow for all tests of this module."""
    home = tmp_path_factory.mktemp("deployment")
    name = "alerted"
    lab = Lab(postgres.create_database(name), servers.bucket(s3, name), name, {})
    levels = {5: "gold", 8: "gold"}
    hours = [event(f"2018-11-01T{hour:02}:10", item=hour, level=levels.get(hour, "free")) for hour in range(12)]
    lab.put_events("2018-11-01", hours)
    lab.put("log_data/2018/11/2018-11-05-events.json", '{"sessionId": 1, "itemInSession": 0, "ts": }')
    lab.put_song("one", song("SO1"))
    dags = tmp_path_factory.mktemp("dags")
    (dags / "impatient.py").write_text(IMPATIENT)
    (dags / "late.py").write_text(LATE)
    (dags / "broken.py").write_text("print(mistake)")  # another DAG that cannot be imported stops nothing
    metadata = postgres.create_database("alerted-airflow")
    environment = airflow.environment(
        home, metadata=airflow.sqlalchemy_url(metadata), postgres=postgres, database=name, s3=s3, bucket=name
    )
    with receivers.hook() as hook, receivers.mailbox() as mail:
        environment |= {
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
            # A task whose worker is gone is noticed after this, rather than 5 minutes.
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
            "PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT / 'dags'}",
            "AIRFLOW_CONN_SLACK_ALERTS": receivers.slack_connection(hook.port),
            "AIRFLOW_CONN_SMTP_ALERTS": receivers.smtp_connection(mail.port),
            "AIRFLOW_VAR_SPARKIFY_ALERT_EMAIL": "ann@sparkify.example",
        }
        with run_deployment(home, environment, dag_id=airflow.DAG_ID) as deployment, deployment.client() as client:
            yield Site(deployment, client, metadata, lab, hook, mail)


def test_a_bad_hour_is_told_once_and_that_it_is_good_again(site: Site) -> None:
    run, state = site.run(DAY + 5 * HOUR)
    assert state == "failed"
    (told,) = site.told()
    assert told.startswith(":red_circle: *Failed* Sparkify warehouse, 2018-11-01 05:00 to 06:00 UTC")
    assert "`songplays: every level is free or paid`" in told
    page = f"{site.deployment.url}/dags/{airflow.DAG_ID}/runs/{quote(run, safe='')}"
    assert f"<{page}|" in told
    assert site.client.get(page).status_code == 200

    assert site.run(DAY + 5 * HOUR)[1] == "failed"
    assert site.told() == []

    assert site.run(DAY + 6 * HOUR)[1] == "success"
    (told,) = site.told()
    assert told.startswith(":white_check_mark: *Recovered* Sparkify warehouse, 2018-11-01 06:00 to 07:00 UTC")
    assert "*Recovered*: `songplays: every level is free or paid`" in told
    assert "to be cleared: 2018-11-01 05:00 to 06:00 UTC" in told

    assert site.run(DAY + 7 * HOUR)[1] == "success"
    assert site.told() == []


def test_a_task_that_fails_is_told_when_it_is_not_tried_again(site: Site) -> None:
    assert site.run(DAY + timedelta(days=4))[1] == "failed"
    (told,) = site.told()
    assert "*Failed*: `task stage_events`" in told
    assert "2018-11-05-events.json line 1" in told


def test_a_failed_run_can_be_cleared_while_its_deadline_is_pending(site: Site) -> None:
    """Airflow 3.3.2 answers 500 if the deadline's interval is a timedelta."""
    run, state = site.run(DAY + timedelta(days=4))
    assert state == "failed"
    dag, late = f"/api/v2/dags/{airflow.DAG_ID}", site.deadline(run)
    body = {"dry_run": False, "dag_run_id": run, "only_failed": True}
    cleared = site.client.post(f"{dag}/clearTaskInstances", json=body).json()["task_instances"]
    assert "stage_events" in {task["task_id"] for task in cleared}
    assert site.deadline(run) > late  # it has its hour anew
    assert site.end(run) == "failed"
    site.client.post(f"{dag}/dagRuns/{quote(run, safe='')}/clear", json={"dry_run": False})
    assert site.end(run) == "failed"
    assert site.told() == []


def test_a_conf_that_would_end_the_dag_processor_is_refused(site: Site) -> None:
    hour = {"start": DAY.isoformat(), "end": (DAY + HOUR).isoformat()}
    deep: dict[str, Any] = {}
    for _ in range(200):
        deep = {"deeper": deep}
    for conf, code in (({"max_errors": 10**18}, 400), ({"max_errors": 10**20}, 422), ({"x": 10**20}, 422), (deep, 422)):
        body = {"logical_date": None, "conf": {**hour, **conf}}
        with pytest.raises(httpx.HTTPStatusError, match=f"with {code}"):
            site.client.post(f"/api/v2/dags/{airflow.DAG_ID}/dagRuns", json=body)


def test_a_backfill_with_bad_hours_sends_one_summary(site: Site) -> None:
    backfill = Backfill(site.deployment, site.client, site.metadata, airflow.DAG_ID)
    backfill.begin(DAY, DAY + 12 * HOUR, BackfillOptions(runs=6))
    outcome = backfill.wait(lambda runs, retries: None, every=0.2)
    assert len(outcome.failed) == 2
    (told,) = site.told()
    assert "Backfill of Sparkify warehouse, 2018-11-01 00:00 to 12:00 UTC" in told
    assert "12 runs: " in told
    assert ", 2 failed" in told
    assert "*Failed*: `songplays: every level is free or paid`" in told
    assert "In 2 runs: 2018-11-01 05:00 to 06:00, 2018-11-01 08:00 to 09:00 UTC" in told


def test_a_failed_run_is_loaded_again_by_a_backfill_while_its_deadline_is_pending(site: Site) -> None:
    """In the web UI: Missing and Errored Runs."""
    backfill = Backfill(site.deployment, site.client, site.metadata, airflow.DAG_ID)
    latest: dict[str, str | int] = {"dag_id": airflow.DAG_ID, "order_by": "-id", "limit": 1}
    bad = DAY + 5 * HOUR
    for reprocess in ("completed", "failed"):
        backfill.begin(bad, bad + HOUR, BackfillOptions(runs=1, reprocess=reprocess))
        outcome = backfill.wait(lambda runs, retries: None, every=0.2)
        assert [run.hour for run in outcome.failed] == [bad]
        assert outcome.skipped == []
        wait_until(
            lambda: site.client.get("/api/v2/backfills", params=latest).json()["backfills"][0]["completed_at"], 120
        )
        (told,) = site.told()
        assert "1 run: 0 passed, 0 warned, 1 failed" in told


def test_a_run_that_is_late_is_told(site: Site) -> None:
    assert site.run(dag_id="waits")[1] == "success"
    (told,) = site.told()
    assert "*Failed*: `the run is on time`" in told
    assert "running, 0.133333 minutes after it was queued" in told


def test_a_run_that_failed_without_a_word_is_told_at_its_deadline(site: Site) -> None:
    """Where the process of a task is killed, Airflow calls nobody."""
    assert site.run(dag_id="is_killed")[1] == "failed"
    wait_until(lambda: site.hook.posts)
    (told,) = site.told()
    assert "`the run is on time`" in told
    assert "failed, 0.133333 minutes after it was queued" in told


def test_a_task_whose_worker_is_gone_is_told_by_the_dag_processor(site: Site) -> None:
    assert site.run(dag_id="is_lost")[1] == "failed"
    wait_until(lambda: site.hook.posts)
    (told,) = site.told()
    assert "*Failed*: `task is_lost`" in told
    assert "its process exited without reporting an error" in told
