"""The daily report on Airflow's scheduler: when it is written, and for which day."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import httpx
import pytest

from sandbox import airflow, servers
from sandbox.backfill_client import HOUR, Backfill, BackfillOptions
from sandbox.deployment import run_deployment
from sandbox.lab import Lab
from tests.support.data import event, song

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.scheduler

REPORT = "sparkify_report"
DAY = datetime(2018, 11, 1, tzinfo=UTC)
NEXT = DAY + timedelta(days=1)


class Site(NamedTuple):
    """A running Airflow and the warehouse that it loads."""

    client: httpx.Client
    lab: Lab
    backfill: Backfill

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """The runs of a DAG, the oldest first."""
        answer = self.client.get(f"/api/v2/dags/{dag_id}/dagRuns", params={"order_by": "run_after", "limit": 100})
        runs: list[dict[str, Any]] = answer.json()["dag_runs"]
        # The warehouse, once unpaused, also loads the current hour.
        return [run for run in runs if (run["partition_key"] or run["logical_date"] or "2018").startswith("2018")]

    def reports(self, number: int) -> list[str]:
        """Wait until the report has the given number of runs and all DAGs are idle; return the days of the runs."""
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            runs = self.runs(REPORT)
            busy = [run for run in [*runs, *self.runs(airflow.DAG_ID)] if run["state"] in ("queued", "running")]
            if len(runs) >= number and not busy:
                break
            time.sleep(0.5)
        time.sleep(3)  # an unexpected event would have created a run by then
        runs = self.runs(REPORT)
        assert {run["state"] for run in runs} <= {"success"}
        return [run["partition_key"] for run in runs]

    def page(self, key: str) -> str:
        return bytes(self.lab.store.get(key).bytes()).decode()

    def keys(self) -> list[str]:
        # The current hour may close a day, which has a report, too.
        return [item["path"] for batch in self.lab.store.list("reports/2018/") for item in batch]

    def wait_for(self, path: str, state: str) -> None:
        deadline = time.monotonic() + 60
        while self.client.get(path).json()["state"] != state:
            assert time.monotonic() < deadline, f"{path} is not {state}"
            time.sleep(0.2)


def events(day: datetime, *, but: int | None = None) -> list[dict[str, Any]]:
    """Return a play in every hour of a day but one, each in a separate session."""
    hours = [number for number in range(24) if number != but]
    return [event(f"{day:%Y-%m-%d}T{number:02}:05:00", day.day * 100 + number) for number in hours]


@pytest.fixture(scope="module")
def site(
    postgres: servers.PostgresServer, s3: servers.S3Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("deployment")
    name = "reported"
    lab = Lab(postgres.create_database(name), servers.bucket(s3, name), name, {})
    lab.put_song("1", song("SO1"))
    for day in (DAY, NEXT):
        lab.put_events(f"{day:%Y-%m-%d}", events(day))
    metadata = postgres.create_database("reported-airflow")
    environment = airflow.environment(
        home, metadata=airflow.sqlalchemy_url(metadata), postgres=postgres, database=name, s3=s3, bucket=name
    )
    with (
        run_deployment(home, environment, dag_ids=[REPORT, airflow.DAG_ID]) as deployment,
        deployment.client() as client,
    ):
        client.patch(f"/api/v2/dags/{REPORT}", json={"is_paused": False})
        yield Site(client, lab, Backfill(deployment, client, metadata, airflow.DAG_ID))


def test_the_life_of_a_report(site: Site) -> None:
    # Hours of an unclosed day create no report.
    assert site.backfill.begin(DAY + 19 * HOUR, DAY + 21 * HOUR, BackfillOptions(runs=2)) == ""
    assert site.backfill.wait(lambda runs, retries: None, every=0.2).succeeded
    assert site.reports(0) == []

    # The run that closes it does, although it is the first of its backfill: it covers the day.
    assert site.backfill.begin(DAY + 22 * HOUR, NEXT, BackfillOptions(runs=2, backwards=True)) == ""
    assert site.backfill.wait(lambda runs, retries: None, every=0.2).succeeded
    assert site.reports(1) == ["2018-11-01"]
    assert site.keys() == ["reports/2018/11/2018-11-01.html"]
    first = site.page("reports/2018/11/2018-11-01.html")
    assert '<p class="value">24</p>' in first

    # A changed hour that is cleared creates the report again.
    site.lab.put_events("2018-11-01", events(DAY, but=19))
    hour = next(run for run in site.runs(airflow.DAG_ID) if run["data_interval_start"].startswith("2018-11-01T19"))
    path = f"/api/v2/dags/{airflow.DAG_ID}/dagRuns/{quote(hour['dag_run_id'], safe='')}"
    time.sleep(5)  # until the S3 server lists its folders again
    site.client.post(f"{path}/clear", json={"dry_run": False})
    assert site.reports(2) == ["2018-11-01", "2018-11-01"]
    assert '<p class="value">23</p>' in site.page("reports/2018/11/2018-11-01.html")

    # A range creates one report per day.
    conf = {"start": DAY.isoformat(), "end": (NEXT + timedelta(days=1)).isoformat()}
    site.client.post(f"/api/v2/dags/{airflow.DAG_ID}/dagRuns", json={"logical_date": None, "conf": conf})
    assert sorted(site.reports(4)) == ["2018-11-01", "2018-11-01", "2018-11-01", "2018-11-02"]
    assert site.keys() == ["reports/2018/11/2018-11-01.html", "reports/2018/11/2018-11-02.html"]
    assert "<b>+4 %</b> on the day before" in site.page("reports/2018/11/2018-11-02.html")

    # Triggered manually: a day, and an invalid date.
    runs = f"/api/v2/dags/{REPORT}/dagRuns"
    site.client.post(runs, json={"logical_date": None, "partition_key": "2018-12-24"})
    assert site.reports(5)[-1] == "2018-12-24"
    assert "No plays on this day" in site.page("reports/2018/12/2018-12-24.html")
    with pytest.raises(httpx.HTTPStatusError, match=r"400.*yesterday"):
        site.client.post(runs, json={"logical_date": None, "partition_key": "yesterday"})
    run = site.client.post(runs, json={"logical_date": None}).json()
    site.wait_for(f"{runs}/{quote(run['dag_run_id'], safe='')}", "failed")
