"""Alerts on Airflow's scheduler: failures and recoveries are sent, a backfill sends one summary."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import httpx
import psycopg
import pytest

from sandbox import airflow, servers
from sandbox.api import dag_run_path
from sandbox.backfill_client import HOUR, Backfill, BackfillOptions
from sandbox.deployment import LocalDeployment, run_deployment
from sandbox.lab import Lab
from sparkify.alerts.testing import SUBJECT, TEXT
from tests.conftest import ROOT
from tests.support import receivers
from tests.support.data import event, song
from tests.support.processes import FAST_RETRIES, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.api import AirflowClient

pytestmark = pytest.mark.scheduler

DAY = datetime(2018, 11, 1, tzinfo=UTC)
DAGS = '''
"""Airflow DAGs whose task waits, is refused, or whose processes are killed: the task's, the worker's too."""
import os
import pathlib
import signal
import time
from datetime import datetime, timedelta

from airflow.sdk import DAG, task
from sparkify.alerts import AlertNotifier, deadline
from sparkify.dag.run import InvalidRunError

ALERT = AlertNotifier()

for name, limit in (("waits", 8), ("is_refused", 8), ("is_killed", 3600), ("is_lost", 3600)):
    with DAG(
        name,
        schedule=None,
        start_date=datetime(2018, 11, 1),
        deadline=deadline(timedelta(seconds=limit)),
        on_failure_callback=ALERT.run_failed,
    ):

        @task(task_id=name, on_failure_callback=ALERT, on_success_callback=ALERT)
        def work(name):
            if name == "is_refused":
                raise InvalidRunError("the end is before the start")
            if name == "is_lost":
                os.kill(os.getppid(), signal.SIGKILL)
            if name != "waits":
                os.kill(os.getpid(), signal.SIGKILL)
            while not pathlib.Path(__file__).with_name("go").exists():
                time.sleep(0.1)  # the triggerer reports the missed deadline meanwhile

        work(name)
'''


class Site(NamedTuple):
    """A running Airflow, the warehouse that it loads, and the receivers of alerts."""

    deployment: LocalDeployment
    client: AirflowClient
    metadata: str
    lab: Lab
    hook: receivers.Hook
    mail: receivers.Mailbox
    dags: Path

    def put_hours(self, *bad: int) -> None:
        """Write the events of a day; those of bad hours fail a check."""
        self.lab.put_events(
            "2018-11-01",
            [
                event(f"2018-11-01T{hour:02}:10", item=hour, level="gold" if hour in bad else "free")
                for hour in range(12)
            ],
        )

    def run(self, begin: datetime | None = None, dag_id: str = airflow.DAG_ID) -> tuple[str, str]:
        """Load an hour; return the run's id and its final state."""
        conf = {"start": begin.isoformat(), "end": (begin + HOUR).isoformat()} if begin else {}
        dag = f"/api/v2/dags/{dag_id}"
        self.client.patch(dag, json={"is_paused": False})
        made = self.client.post(f"{dag}/dagRuns", json={"logical_date": None, "conf": conf}).json()["dag_run_id"]
        return made, self.end(made, dag_id)

    def end(self, run: str, dag_id: str = airflow.DAG_ID) -> str:
        """Wait until a run has ended; return its state."""

        def ended() -> str | None:
            self.deployment.check()
            state = self.client.get(f"/api/v2/dags/{dag_id}/dagRuns/{quote(run, safe='')}").json()["state"]
            return state if state in ("success", "failed") else None

        return wait_until(ended, 240)

    def deadline(self, run: str) -> datetime:
        """Return the deadline of a run."""
        query = "SELECT deadline_time FROM deadline JOIN dag_run ON dag_run.id = dagrun_id WHERE run_id = %s"
        with psycopg.connect(self.metadata) as connection:
            ((found,),) = connection.execute(query, [run]).fetchall()
        assert isinstance(found, datetime)
        return found

    def messages(self) -> list[str]:
        """Return the messages since the last call, after all callbacks have ended."""
        time.sleep(2)  # a callback runs after its task has ended
        found = list(self.hook.texts)
        assert len(self.mail.mails) == len(found)
        self.hook.posts.clear()
        self.mail.mails.clear()
        return found


@pytest.fixture(scope="module")
def site(
    postgres: servers.PostgresServer, s3: servers.S3Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """An Airflow for all tests of this module."""
    home = tmp_path_factory.mktemp("deployment")
    name = "alerted"
    lab = Lab(postgres.create_database(name), servers.bucket(s3, name), name, {})
    lab.put("log_data/2018/11/2018-11-05-events.json", '{"sessionId": 1, "itemInSession": 0, "ts": }')
    lab.put_song("one", song("SO1"))
    dags = tmp_path_factory.mktemp("dags")
    (dags / "impatient.py").write_text(FAST_RETRIES)
    (dags / "more.py").write_text(DAGS)
    (dags / "broken.py").write_text("print(mistake)")  # a broken DAG file does not affect the others
    metadata = postgres.create_database("alerted-airflow")
    environment = airflow.environment(
        home, metadata=airflow.sqlalchemy_url(metadata), postgres=postgres, database=name, s3=s3, bucket=name
    )
    with receivers.hook() as hook, receivers.mailbox() as mail:
        environment |= {
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
            # Seconds until a missed heartbeat is detected, instead of 5 minutes.
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
            "PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT / 'dags'}",
            "AIRFLOW_CONN_SLACK_ALERTS": receivers.slack_connection(hook.port),
            "AIRFLOW_CONN_SMTP_ALERTS": receivers.smtp_connection(mail.port),
            "AIRFLOW_VAR_SPARKIFY_ALERT_EMAIL": "ann@sparkify.example",
        }
        with (
            run_deployment(home, environment, dag_ids=[airflow.DAG_ID, "waits"]) as deployment,
            deployment.client() as client,
        ):
            yield Site(deployment, client, metadata, lab, hook, mail, dags)


def test_a_failure_is_alerted_once_and_then_its_recovery(site: Site) -> None:
    site.put_hours(5, 8)
    run, state = site.run(DAY + 5 * HOUR)
    assert state == "failed"
    (message,) = site.messages()
    assert message.startswith(":red_circle: *Failed* Sparkify warehouse, 2018-11-01 05:00 to 06:00 UTC")
    assert "`songplays: every level is free or paid`" in message
    page = f"{site.deployment.url}/dags/{airflow.DAG_ID}/runs/{quote(run, safe='')}"
    assert f"<{page}|" in message
    assert site.client.get(page).status_code == 200

    assert site.run(DAY + 5 * HOUR)[1] == "failed"
    assert site.messages() == []

    assert site.run(DAY + 6 * HOUR)[1] == "success"
    assert site.messages() == []

    site.put_hours(8)
    assert site.run(DAY + 5 * HOUR)[1] == "success"
    (message,) = site.messages()
    assert message.startswith(":white_check_mark: *Recovered* Sparkify warehouse, 2018-11-01 05:00 to 06:00 UTC")
    assert "*Recovered*: `songplays: every level is free or paid`" in message

    assert site.run(DAY + 5 * HOUR)[1] == "success"
    assert site.messages() == []


def test_a_data_error_is_alerted_at_once(site: Site) -> None:
    run, state = site.run(DAY + timedelta(days=4))
    assert state == "failed"
    task = site.client.get(f"{dag_run_path(airflow.DAG_ID, run)}/taskInstances/stage_events").json()
    assert (task["try_number"], task["max_tries"] > 0) == (1, True)
    (message,) = site.messages()
    assert "*Failed*: `task stage_events`" in message
    assert "2018-11-05-events.json line 1" in message


def test_the_log_of_a_run_with_an_invalid_range_shows_the_error(site: Site) -> None:
    """Not in a group, which the web UI collapses."""
    site.client.unpause(airflow.DAG_ID)
    site.client.unpause(airflow.DAG_ID)
    conf = {"start": "2018-11-02T00:00:00Z", "end": "2018-11-01T00:00:00Z"}
    run = site.client.trigger(airflow.DAG_ID, conf)
    assert site.end(run) == "failed"
    path = f"{dag_run_path(airflow.DAG_ID, run)}/taskInstances/create_tables/logs/1"
    visible, groups = [], 0
    for line in site.client.get(path).json()["content"]:
        groups += line["event"].startswith("::group::") - line["event"].startswith("::endgroup::")
        if not groups:
            visible.append(line)
    *_, shown, failed = [line for line in visible if line.get("level") == "error"]
    assert shown["event"].startswith("Invalid range, start='2018-11-02T00:00:00Z' and end='2018-11-01T00:00:00Z': ")
    assert shown["event"].endswith("Trigger the DAG again with valid params: clearing the task cannot change params.")
    assert failed["error_detail"][-1]["exc_type"] == "InvalidRunError"
    assert site.messages() == []  # only the person who triggered it can correct it


def test_a_failed_run_can_be_cleared_while_its_deadline_is_pending(site: Site) -> None:
    """Airflow 3.3.2 returns 500 if the deadline's interval is a timedelta."""
    run, state = site.run(DAY + timedelta(days=4))
    assert state == "failed"
    dag, late = f"/api/v2/dags/{airflow.DAG_ID}", site.deadline(run)
    body = {"dry_run": False, "dag_run_id": run, "only_failed": True}
    cleared = site.client.post(f"{dag}/clearTaskInstances", json=body).json()["task_instances"]
    assert "stage_events" in {task["task_id"] for task in cleared}
    assert site.deadline(run) > late  # the deadline starts again
    assert site.end(run) == "failed"
    site.client.post(f"{dag}/dagRuns/{quote(run, safe='')}/clear", json={"dry_run": False})
    assert site.end(run) == "failed"
    assert site.messages() == []


def test_a_conf_that_would_crash_the_dag_processor_is_rejected(site: Site) -> None:
    hour = {"start": DAY.isoformat(), "end": (DAY + HOUR).isoformat()}
    deep: dict[str, Any] = {}
    for _ in range(200):
        deep = {"deeper": deep}
    for conf, code in (({"max_errors": 10**18}, 400), ({"max_errors": 10**20}, 422), ({"x": 10**20}, 422), (deep, 422)):
        body = {"logical_date": None, "conf": {**hour, **conf}}
        with pytest.raises(httpx.HTTPStatusError, match=f"with {code}"):
            site.client.post(f"/api/v2/dags/{airflow.DAG_ID}/dagRuns", json=body)


def test_a_backfill_with_bad_hours_sends_one_summary(site: Site) -> None:
    site.put_hours(5, 8)
    backfill = Backfill(site.deployment, site.client, site.metadata, airflow.DAG_ID)
    backfill.begin(DAY, DAY + 12 * HOUR, BackfillOptions(runs=6))
    outcome = backfill.wait(lambda runs, retries: None, every=0.2)
    assert len(outcome.failed) == 2
    (message,) = site.messages()
    assert "Backfill of Sparkify warehouse, 2018-11-01 00:00 to 12:00 UTC" in message
    assert "12 runs: " in message
    assert ", 2 failed" in message
    assert "*Failed*: `songplays: every level is free or paid`" in message
    assert "In 2 runs: 2018-11-01 05:00 to 06:00, 2018-11-01 08:00 to 09:00 UTC" in message


def test_a_backfill_reprocesses_a_failed_run_while_its_deadline_is_pending(site: Site) -> None:
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
        (message,) = site.messages()
        assert "1 run: 0 passed, 0 warned, 1 failed" in message


def test_a_late_run_is_alerted_and_then_its_end(site: Site) -> None:
    site.client.unpause("waits")
    run = site.client.trigger("waits", {})
    wait_until(lambda: site.hook.posts)
    (site.dags / "go").touch()
    assert site.end(run, "waits") == "success"
    wait_until(lambda: len(site.hook.posts) == 2)
    message, ended = site.messages()
    assert "*Late*: `run not finished after 0.133333 minutes`" in message
    assert "running, queued at" in message
    assert "*Recovered*: `the late run has finished`" in ended


def test_a_killed_task_is_alerted_when_its_run_has_failed_and_a_refused_run_never(site: Site) -> None:
    """If the executor reports that a process was killed, Airflow calls no callback of the task."""
    assert site.run(dag_id="is_refused")[1] == "failed"
    run, state = site.run(dag_id="is_killed")
    assert state == "failed"
    # The callbacks of the runs are called in order; the deadline of the refused run has passed meanwhile.
    wait_until(lambda: site.hook.posts, 180)
    (message,) = site.messages()
    assert "*Failed*: `task is_killed`" in message
    assert "its process exited without reporting an error" in message
    assert site.deadline(run) > datetime.now(UTC) + timedelta(minutes=30)


def test_a_task_without_heartbeat_is_alerted_once(site: Site) -> None:
    """The DAG processor calls the callbacks of the task and of the run."""
    assert site.run(dag_id="is_lost")[1] == "failed"
    wait_until(lambda: site.hook.posts)
    time.sleep(10)  # until the callback of the run has ended
    (message,) = site.messages()
    assert "*Failed*: `task is_lost`" in message
    assert "its process exited without reporting an error" in message


def test_a_test_alert_uses_the_connections_of_the_web_ui(site: Site) -> None:
    """The others of this module are environment variables of Airflow's processes."""
    connection = json.loads(receivers.slack_connection(site.hook.port)) | {"connection_id": "slack_alerts"}
    site.client.post("/api/v2/connections", json=connection)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "_AIRFLOW"))}
    environment |= {
        "AIRFLOW_HOME": str(site.deployment.home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": airflow.sqlalchemy_url(site.metadata),
        "PYTHONPATH": str(ROOT / "plugins"),
    }
    command = [sys.executable, "-m", "sparkify.alerts"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "Slack: delivered" in run.stdout, run.stdout + run.stderr
    assert run.returncode == 0
    assert site.hook.texts == [f":test_tube: *{SUBJECT}*\n{TEXT}"]
