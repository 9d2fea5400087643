"""Arriving files on Airflow's scheduler: a message in the queue leads to the load of the file's period."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import boto3
import psutil
import pytest

from sandbox import airflow, components, servers
from sandbox.api import dag_run_path
from sandbox.deployment import COMPONENTS, LocalDeployment, run_deployment
from sandbox.lab import Lab
from sandbox.notifications import Notifier
from tests.conftest import ROOT
from tests.support import messages
from tests.support.data import event, song
from tests.support.processes import session_members, wait_until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from sandbox.api import AirflowClient

pytestmark = pytest.mark.scheduler

RECONCILE = "sparkify_reconcile"
# Its DAG, with a shorter time between two events.
HASTY = """
# An Airflow DAG.
from sparkify.dag import arrivals

arrivals.ArrivalTrigger.__init__.__defaults__ = (5,)

from sparkify_reconcile import dag
"""
# The promise: seconds from the arrival of a file until its period is loaded.
SOON = 300
DAYS = ["2018-11-01", "2018-11-02", "2018-11-03"]
ENDED = ("success", "failed")


class Site(NamedTuple):
    """A running Airflow, the warehouse that it loads, and the queue of arriving files."""

    deployment: LocalDeployment
    client: AirflowClient
    lab: Lab
    sqs: Any
    queue: str

    def runs(self, dag_id: str, *kinds: str) -> list[tuple[str, str]]:
        """Return the ids and states of a DAG's runs of some types, the oldest first."""
        found = self.client.dag_runs(dag_id, order_by="run_after", limit=100)["dag_runs"]
        return [(run["dag_run_id"], run["state"]) for run in found if run["run_type"] in kinds]

    def passes(self) -> list[str]:
        """Return the states of the passes that arrivals have triggered."""
        return [state for _, state in self.runs(RECONCILE, "asset_triggered")]

    def arrive(self, day: str) -> None:
        """Write the file of a day."""
        self.lab.put_events(day, [event(f"{day}T{hour:02}:05:00", int(day[-2:]) * 100 + hour) for hour in range(24)])

    def send(self, *bodies: str) -> None:
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.queue, MessageBody=body)

    def messages(self) -> int:
        """Return the number of messages that are not deleted."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=names)["Attributes"]
        return sum(map(int, found.values()))

    @contextmanager
    def without_triggerer(self) -> Iterator[None]:
        """Kill the triggerer, and start another one."""
        processes = cast("dict[str, subprocess.Popen[bytes]]", self.deployment.processes)
        killed = processes["triggerer"]
        environment = psutil.Process(killed.pid).environ()
        for process in session_members([killed.pid]):
            process.kill()
        killed.wait()
        yield
        with (self.deployment.logs / "triggerer.log").open("ab") as log:
            processes["triggerer"] = components.start(COMPONENTS["triggerer"], environment, log)

    def new_passes(self, before: int) -> int:
        """Wait until all messages are deleted and all passes, at least one of them new, have succeeded.

        :param before: number of passes before.
        :return: the number of new ones.
        """
        wait_until(
            lambda: not self.messages() and len(states := self.passes()) > before and {*states} == {"success"},
            SOON,
        )
        return len(self.passes()) - before

    def plays(self) -> dict[str, int]:
        """Return the number of plays by day."""
        found = self.lab.query("SELECT CAST(start_time AS DATE), COUNT(*) FROM songplays GROUP BY 1 ORDER BY 1")
        return {str(day): count for day, count in found if str(day).startswith("2018")}


@pytest.fixture(scope="module")
def site(
    postgres: servers.PostgresServer, s3: servers.S3Server, aws: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("deployment")
    dags = tmp_path_factory.mktemp("dags")
    (dags / "hasty.py").write_text(HASTY)
    (dags / "warehouse.py").write_text('"""An Airflow DAG."""\nfrom sparkify_warehouse import dag\n')
    name = "announced"
    lab = Lab(postgres.create_database(name), servers.bucket(s3, name), name, {})
    lab.put_song("1", song("SO1"))
    keys = {"aws_access_key_id": servers.ACCESS_KEY, "aws_secret_access_key": servers.SECRET_KEY}
    sqs = boto3.client("sqs", endpoint_url=aws, region_name=servers.REGION, **keys)
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    metadata = airflow.sqlalchemy_url(postgres.create_database("announced-airflow"))
    environment = {
        **airflow.environment(home, metadata=metadata, postgres=postgres, database=name, s3=s3, bucket=name),
        "AIRFLOW_CONN_AWS": airflow.aws_connection(s3.endpoint, service_config={"sqs": {"endpoint_url": aws}}),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT / 'dags'}",
        "AIRFLOW__SPARKIFY__QUEUE": queue,
        # Once a year: only arrivals trigger a pass.
        "AIRFLOW__SPARKIFY__RECONCILE_SCHEDULE": "0 0 1 1 *",
    }
    with (
        run_deployment(home, environment, dag_ids=[RECONCILE, airflow.DAG_ID]) as deployment,
        deployment.client() as client,
    ):
        site = Site(deployment, client, lab, sqs, queue)
        for day in (DAYS[0], DAYS[2]):
            site.arrive(day)
        client.unpause(airflow.DAG_ID)
        conf = {"start": f"{DAYS[0]}T00:00:00Z", "end": "2018-11-04T00:00:00Z"}
        path = dag_run_path(airflow.DAG_ID, client.trigger(airflow.DAG_ID, conf))
        assert wait_until(lambda: (run := client.get(path).json()["state"]) in ENDED and run, SOON) == "success"
        client.unpause(RECONCILE)
        # The first pass is of the schedule: DAGs without catchup run once.
        wait_until(lambda: [state for _, state in site.runs(RECONCILE, "scheduled")] == ["success"], SOON)
        yield site


@pytest.mark.timeout(900)
def test_an_arriving_file_is_loaded_and_other_messages_change_nothing(site: Site) -> None:
    assert site.plays() == {DAYS[0]: 24, DAYS[2]: 24}
    assert site.passes() == []

    # A forgotten day arrives; S3 announces it twice.
    site.arrive(DAYS[1])
    notify = Notifier(site.lab.bucket, site.queue)
    for _ in range(2):
        notify("log_data/2018/11/2018-11-02-events.json", b"")
    wait_until(lambda: site.plays().get(DAYS[1]) == 24, SOON)
    # Messages that are sent one after the other may make two events.
    assert site.new_passes(0) <= 2
    ((run_id, _),) = site.runs(airflow.DAG_ID, "manual", "asset_triggered", "operator_triggered")[1:]
    assert run_id.startswith("reconcile__2018-11-02T00:00_2018-11-03T00:00__")
    path = dag_run_path(airflow.DAG_ID, run_id)
    assert wait_until(lambda: (run := site.client.get(path).json()["state"]) in ENDED and run, SOON) == "success"

    # Forged, test and other messages cause a few passes, which trigger nothing.
    before = len(site.passes())
    site.send(*messages.ALL * 10)
    assert site.new_passes(before) <= 3
    assert len(site.runs(airflow.DAG_ID, "manual", "asset_triggered", "operator_triggered")) == 2
    assert site.plays() == dict.fromkeys(DAYS, 24)

    # A message that arrives without a triggerer waits for one.
    before = len(site.passes())
    with site.without_triggerer():
        site.send(messages.ARRIVED)
    assert site.new_passes(before) == 1

    # Nothing of a message is kept.
    events = site.client.get("/api/v2/assets/events").json()["asset_events"]
    extras = [event["extra"] for event in events if event["name"] == "sparkify.arrivals"]
    assert extras
    assert all(set(extra["payload"]) == {"messages"} for extra in extras)
