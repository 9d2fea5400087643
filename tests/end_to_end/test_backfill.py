"""Backfills on Airflow's scheduler result in the tables of one single run, even if they are disturbed."""

from __future__ import annotations

import json
import re
import signal
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import psycopg
import pytest

from sandbox import airflow, servers
from sandbox.backfill_client import HOUR, Backfill, BackfillOptions, BackfillResult, BackfillRun, FailedTask
from sandbox.deployment import LocalDeployment, run_deployment
from sandbox.lab import Lab
from sandbox.upload import sync
from tests.conftest import ROOT
from tests.support.data import event, song
from tests.support.processes import FAST_RETRIES, left_behind, row_counts, session_members, start_command, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import psutil

    from sandbox.api import AirflowClient

pytestmark = pytest.mark.scheduler

DAY = datetime(2018, 11, 1, tzinfo=UTC)
NEXT = DAY + timedelta(days=1)


class Site(NamedTuple):
    """A running Airflow and the warehouse that it loads."""

    deployment: LocalDeployment
    client: AirflowClient
    metadata: str
    lab: Lab

    def backfill(
        self,
        begin: datetime,
        end: datetime,
        *,
        report: Callable[[Sequence[BackfillRun], Sequence[FailedTask]], None] = lambda runs, retries: None,
        **options: Any,
    ) -> BackfillResult:
        """Run a backfill to its end."""
        backfill = self.begin(begin, end, **options)
        return backfill.wait(report, every=0.2)

    def begin(self, begin: datetime, end: datetime, **options: Any) -> Backfill:
        """Start a backfill."""
        with psycopg.connect(self.metadata) as connection:
            # Airflow would otherwise take half a minute to mark the earlier one as completed.
            connection.execute("UPDATE backfill SET completed_at = now() WHERE completed_at IS NULL")
        backfill = Backfill(self.deployment, self.client, self.metadata, airflow.DAG_ID)
        assert backfill.begin(begin, end, BackfillOptions(**options)) == ""
        return backfill

    def damage(self, begin: datetime, end: datetime) -> None:
        """Delete the rows of some hours, so that their runs must load them again."""
        with psycopg.connect(self.lab.uri) as connection:
            for table, column in (("staging_events", "interval_time"), ("songplays", "start_time")):
                lost = connection.execute(
                    f"DELETE FROM {table} WHERE {column} >= %s AND {column} < %s",
                    [moment.replace(tzinfo=None) for moment in (begin, end)],
                )
                assert lost.rowcount

    def processes(self) -> list[psutil.Process]:
        """Return all processes of this Airflow."""
        return session_members([process.pid for process in self.deployment.processes.values()])

    def get(self, path: str) -> Any:
        """Request a path of the DAG from the API."""
        return self.client.get(f"/api/v2/dags/{airflow.DAG_ID}/{path}").json()


def fill(lab: Lab) -> None:
    """Write difficult days: duplicate plays, late and early ones, changing levels, songs in two files."""
    files: dict[str, list[dict[str, Any]]] = {"2018-11-01": [], "2018-11-02": []}
    for hour in range(24):
        for item in range(12):
            files["2018-11-01"].append(
                event(
                    f"2018-11-01T{hour:02}:{item * 5:02}:07",
                    session=hour,
                    item=item,
                    userId=str(item % 5),
                    level="paid" if hour % 3 else "free",
                    page="NextSong" if item % 4 else "Home",
                    song=f"Title {item % 3}",
                )
            )
    files["2018-11-01"] += files["2018-11-01"][40:60]
    files["2018-11-01"].append(event("2018-11-02T00:10:00", session=100, userId="3", level="free"))
    files["2018-11-01"].append(event("2018-10-31T23:50:00", session=101, userId="9"))
    files["2018-11-02"].append(event("2018-11-01T05:05:05", session=102, userId="7"))
    for day, events in files.items():
        lab.put_events(day, events)
    for number in range(4):
        lab.put_song(str(number), song(f"SO{number % 3}", title=f"Title {number % 3}", year=1990 + number))
    lab.put("log_data/2018/11/2018-11-05-events.json", '{"sessionId": 1, "itemInSession": 0, "ts": }')


@pytest.fixture(scope="module")
def site(
    postgres: servers.PostgresServer, s3: servers.S3Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """An Airflow for all tests of this module."""
    home = tmp_path_factory.mktemp("deployment")
    name = "scheduled"
    lab = Lab(postgres.create_database(name), servers.bucket(s3, name), name, {})
    fill(lab)
    dags = tmp_path_factory.mktemp("dags")
    (dags / "impatient.py").write_text(FAST_RETRIES)
    metadata = postgres.create_database("scheduled-airflow")
    environment = airflow.environment(
        home, metadata=airflow.sqlalchemy_url(metadata), postgres=postgres, database=name, s3=s3, bucket=name
    )
    environment |= {
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
        "PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT / 'dags'}",
    }
    with run_deployment(home, environment, dag_ids=[airflow.DAG_ID]) as deployment:
        with deployment.client() as client:
            yield Site(deployment, client, metadata, lab)
        sessions = [process.pid for process in deployment.processes.values()]
    assert session_members(sessions) == []


@pytest.fixture(scope="module")
def day(site: Site) -> tuple[BackfillResult, int]:
    """A day loaded by a backfill of six concurrent runs, and the highest number of concurrent runs seen."""
    most = 0

    def report(runs: Sequence[BackfillRun], retries: Sequence[FailedTask]) -> None:
        nonlocal most
        most = max(most, Counter(run.state for run in runs)["running"])

    return site.backfill(DAY, NEXT, report=report, runs=6), most


@pytest.fixture
def expected(
    site: Site,
    make_lab: Callable[[], Lab],
    postgres: servers.PostgresServer,
    s3: servers.S3Server,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, list[tuple[Any, ...]]]:
    """The tables after one single run over the day."""
    other = make_lab()
    for variable, value in other.environment.items():
        monkeypatch.setenv(variable, value)
    single = Lab(other.uri, site.lab.store, site.lab.bucket, other.environment)
    single.run("2018-11-01", "2018-11-02")
    return single.tables()


@pytest.fixture
def state() -> Iterator[Path]:
    """A state folder that the servers' user can traverse; no process uses it at the end."""
    with tempfile.TemporaryDirectory(prefix="sparkify-backfill-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)
        assert left_behind(Path(name)) == []


# The first test, so that no other Airflow competes for the machine.
def test_an_interrupted_command_leaves_no_process_and_can_continue(state: Path, lab: Lab) -> None:
    hours = ["--from", "2018-11-01T12:00", "--to", "2018-11-01T16:00", "--runs", "2"]
    process = start_command(state, *hours, module="sandbox.backfill")
    assert process.stdout
    for line in process.stdout:
        if " runs done" in line:
            break
    (note,) = (state / "scheduler").glob("*/processes.json")
    sessions = [session for session, _ in json.loads(note.read_text()).values()]
    assert len(session_members(sessions)) > len(sessions) == 4
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert session_members(sessions) == []
    assert left_behind(state) == []

    process = start_command(state, *hours, module="sandbox.backfill")
    printed, _ = process.communicate(timeout=240)
    assert process.returncode == 0, printed
    assert re.search(r"Continuing an interrupted backfill of these hours: [1-4] runs are left", printed)
    assert "4 of 4 succeeded" in printed
    assert "4 of 4 runs passed all checks" in printed
    sync(state / "sample", lab.store)
    lab.run("2018-11-01T12:00", "2018-11-01T16:00")
    assert row_counts(printed) == lab.counts()
    with servers.postgres(state / "postgres") as server, psycopg.connect(server.uri()) as connection:
        names = [name for (name,) in connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'spark%'")]
        assert sorted(names) == ["sparkify-sample", "sparkify-sample-metadata"]
        loaded = Lab(server.uri("sparkify-sample"), lab.store, lab.bucket, {})
        assert loaded.tables() == lab.tables()
        with psycopg.connect(server.uri("sparkify-sample-metadata")) as runs:
            kinds = runs.execute("SELECT run_type, COUNT(*) FROM dag_run GROUP BY 1").fetchall()
        assert kinds == [("backfill", 4)]  # and no run of the current hour


def test_six_concurrent_runs_result_in_the_tables_of_a_single_run(
    site: Site, day: tuple[BackfillResult, int], expected: dict[str, list[tuple[Any, ...]]]
) -> None:
    outcome, most = day
    assert [run.hour for run in outcome.runs] == [DAY + number * HOUR for number in range(24)]
    assert outcome.succeeded
    assert outcome.checks == {"success": 24}
    assert (outcome.skipped, outcome.failures) == ([], [])
    assert most == 6
    assert site.lab.tables() == expected


def test_completed_runs_are_skipped_with_a_message(site: Site, day: tuple[BackfillResult, int]) -> None:
    outcome = site.backfill(DAY, NEXT)
    assert len(outcome.skipped) == 24
    assert {run.skipped for run in outcome.runs} == {"already exists"}
    assert outcome.checks == {}
    assert outcome.succeeded


def test_reprocessing_backwards_results_in_the_same_tables(
    site: Site, day: tuple[BackfillResult, int], expected: dict[str, list[tuple[Any, ...]]]
) -> None:
    first = NEXT - 3 * HOUR
    site.damage(first, NEXT)
    assert site.lab.tables() != expected
    outcome = site.backfill(first, NEXT, runs=2, reprocess="completed", backwards=True)
    assert outcome.succeeded
    assert outcome.skipped == []
    began = {run.run_id: site.get(f"dagRuns/{quote(str(run.run_id), safe='')}")["start_date"] for run in outcome.runs}
    assert sorted(began, key=lambda run_id: began[run_id]) == [run.run_id for run in outcome.runs][::-1]
    assert site.lab.tables() == expected


def test_a_cleared_run_loads_its_hour_again(
    site: Site, day: tuple[BackfillResult, int], expected: dict[str, list[tuple[Any, ...]]]
) -> None:
    run = day[0].runs[14]
    site.damage(run.hour, run.hour + HOUR)
    path = f"dagRuns/{quote(str(run.run_id), safe='')}"
    site.client.post(f"/api/v2/dags/{airflow.DAG_ID}/{path}/clear", json={"dry_run": False})
    wait_until(lambda: site.get(path)["state"] == "success")
    assert site.lab.tables() == expected


def test_a_killed_task_is_retried(
    site: Site, day: tuple[BackfillResult, int], expected: dict[str, list[tuple[Any, ...]]]
) -> None:
    """It is killed after it has read its file, while it waits for the lock."""
    hour = day[0].runs[20].hour
    site.damage(hour, hour + HOUR)
    with psycopg.connect(site.lab.uri) as connection:
        connection.execute("LOCK TABLE staging_events IN ROW EXCLUSIVE MODE")
        backfill = site.begin(hour, hour + HOUR, reprocess="completed")
        waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'staging_events'::regclass"
        wait_until(lambda: connection.execute(waiting).fetchone())
        path = f"dagRuns/{quote(str(day[0].runs[20].run_id), safe='')}/taskInstances/stage_events"
        task = site.get(path)
        assert task["state"] == "running"
        (process,) = [item for item in site.processes() if item.name().startswith(f"airflow worker -- {task['id']}")]
        process.send_signal(signal.SIGKILL)
        wait_until(lambda: site.get(path)["state"] in ("up_for_retry", "scheduled", "queued"))
    retries: list[FailedTask] = []
    outcome = backfill.wait(lambda runs, more: retries.extend(more), every=0.2)
    assert outcome.succeeded
    assert site.get(path)["try_number"] == task["try_number"] + 1
    assert site.lab.tables() == expected


def test_an_invalid_file_fails_its_runs_with_its_location(
    site: Site, day: tuple[BackfillResult, int], expected: dict[str, list[tuple[Any, ...]]]
) -> None:
    bad = datetime(2018, 11, 5, tzinfo=UTC)
    retries: list[FailedTask] = []
    outcome = site.backfill(bad, bad + HOUR, report=lambda runs, more: retries.extend(more))
    assert not outcome.succeeded
    assert outcome.checks == {"upstream_failed": 1}
    (failure,) = outcome.failures
    assert (failure.hour, failure.task_id) == (bad, "stage_events")
    assert "2018-11-05-events.json line 1" in failure.error
    assert retries == []  # a retry would fail again
    assert site.lab.tables() == expected
    again = site.backfill(bad, bad + HOUR)
    assert [run.skipped for run in again.runs] == ["already exists"]
    assert not again.succeeded


def test_an_interrupted_backfill_is_replaced_by_another(
    site: Site, day: tuple[BackfillResult, int], expected: dict[str, list[tuple[Any, ...]]]
) -> None:
    site.begin(DAY + 3 * HOUR, DAY + 8 * HOUR, runs=1, reprocess="completed")
    other = Backfill(site.deployment, site.client, site.metadata, airflow.DAG_ID)
    output = other.begin(DAY + 6 * HOUR, DAY + 7 * HOUR, BackfillOptions())
    assert "with other options: 5 of its runs were left, from 2018-11-01 03:00 on" in output
    outcome = other.wait(lambda runs, more: None, every=0.2)
    assert outcome.succeeded
    assert [(run.hour, run.skipped) for run in outcome.runs] == [(DAY + 6 * HOUR, None)]
    assert site.lab.tables() == expected
