"""Runs on Airflow's own scheduler: hour by hour, a month in one run, and what Airflow costs by itself.

Three DAGs load the same hours in turn, some at a time, each as a backfill of as many runs at once as it can stand: the
warehouse's, one of the same shape whose tasks do nothing (``bench/dags/idle_hours.py``), and the classic design
(``bench/dags/classic_hours.py``). Four rounds of six hours are a day. A run of the warehouse's DAG over all days comes
first; ``--month`` loads all other hours of them one by one in the end, which takes half an hour.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import psutil
import psycopg

from bench import data
from bench.race import Contender, ContenderError, run
from bench.report import Goal, Section, spread
from sparkify.local import airflow, generate, upload
from sparkify.local.backfill_client import HOUR, Backfill, Options
from sparkify.local.stack import Stack, airflow_stack

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    import httpx

    from bench.scene import Scene

BUCKET, WAREHOUSE, CLASSIC, METADATA = "runs", "warehouse", "classic", "metadata"
IDLE_ID, CLASSIC_ID = "idle_hours", "classic_hours"
NAMES = {
    airflow.DAG_ID: "ours, hour by hour",
    IDLE_ID: "the same DAG, idle",
    CLASSIC_ID: "the classic design, hour by hour",
}
MONTH, SECONDS = "ours, {} days in one run", 60.0
REST = "ours, all other hours in one backfill"
CPU_SECONDS = 0.25  # of a task, Airflow's own part included
AT_ONCE = 6


@dataclass
class Runs:
    """What the runs of a DAG took.

    :param walls: seconds from the start of the first run to the end of the last, of each round.
    :param cpu: seconds of all of Airflow's processes.
    """

    dag_id: str
    walls: list[float] = field(default_factory=list)
    cpu: float = 0
    runs: int = 0
    tasks: int = 0

    @property
    def cost(self) -> float:
        """CPU-seconds of a task."""
        return self.cpu / self.tasks

    def row(self, name: str, hours: int) -> list[str]:
        """Return its row of the table; a round has so many hours."""
        walls = [wall / hours for wall in self.walls]
        return [
            name,
            f"{self.runs:,}",
            f"{self.tasks:,}",
            spread(walls),
            f"{self.tasks / sum(self.walls):.1f}",
            f"{self.cost:.2f}",
        ]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what can be chosen."""
    parser.add_argument("--days", type=int, default=30, help="of events (%(default)s)")
    parser.add_argument("--users", type=int, default=1000, help="each makes about eight events a day (%(default)s)")
    parser.add_argument("--songs", type=int, default=1000, help="of the catalogue (%(default)s)")
    parser.add_argument("--hours", type=int, default=6, help="of a round (%(default)s)")
    parser.add_argument("--rounds", type=int, default=4, help="of hours (%(default)s)")
    parser.add_argument("--month", action="store_true", help="load all hours of all days one by one, ours alone")


def shrink(given: argparse.Namespace) -> None:
    """Choose sizes that are small enough for a test."""
    given.days, given.users, given.songs, given.hours, given.rounds = 1, 20, 20, 1, 1


def measure(given: argparse.Namespace, scene: Scene, tell: Callable[[str], None]) -> Iterator[Section]:
    """Yield what was found.

    :raises ContenderError: where a run fails.
    """
    options = generate.Options(users=given.users, songs=given.songs, days=given.days)
    made = generate.write(options, scene.folder / "data")
    upload.sync(scene.folder / "data", scene.bucket(BUCKET))
    classic = scene.postgres.create_database(CLASSIC)
    tables = {**data.DAY, "bucket": BUCKET, "tasks": ["create_tables"]}
    run(scene, Contender("create tables", "task", 0, tables), classic)
    with _airflow(scene) as (stack, client):
        month = Runs(airflow.DAG_ID)
        with _watch(stack, month):
            _run_range(client, options)
        _settle(scene, month, "manual", options.begin)
        tell(f"{given.days} days in one run: {month.walls[0]:.1f} s")

        def backfill(runs: Runs, name: str, first: int, end: int) -> None:
            with _watch(stack, runs):
                _backfill(scene, stack, client, runs, options.begin + first * HOUR, options.begin + end * HOUR)
            tell(f"{name}, hours {first + 1} to {end}: {runs.walls[-1]:.1f} s")

        hourly = [Runs(dag_id) for dag_id in NAMES]
        for number in range(given.rounds):
            for runs in hourly:
                backfill(runs, NAMES[runs.dag_id], number * given.hours, (number + 1) * given.hours)
        others = Runs(airflow.DAG_ID)
        if given.month:
            backfill(others, REST, given.rounds * given.hours, given.days * 24)
    yield _section(given, made, month, hourly, others)


@contextmanager
def _airflow(scene: Scene) -> Iterator[tuple[Stack, httpx.Client]]:
    """Run an Airflow that has all three DAGs."""
    home = scene.folder / "scheduler"
    dags = home / "dags"
    dags.mkdir(parents=True)
    (home / "include").symlink_to(airflow.ROOT / "include")
    for file in (airflow.ROOT / "dags" / f"{airflow.DAG_ID}.py", *(airflow.ROOT / "bench" / "dags").glob("*.py")):
        (dags / file.name).symlink_to(file)
    metadata = scene.postgres.create_database(METADATA)
    scene.postgres.create_database(WAREHOUSE)
    environment = {
        **airflow.environment(
            home,
            metadata=airflow.sqlalchemy_url(metadata),
            postgres=scene.postgres,
            database=WAREHOUSE,
            s3=scene.s3,
            bucket=BUCKET,
        ),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
        "AIRFLOW_CONN_CLASSIC": scene.connections(CLASSIC)["AIRFLOW_CONN_REDSHIFT"],
    }
    with (
        airflow_stack(home, environment, dag_id=airflow.DAG_ID, parallelism=2 * AT_ONCE) as stack,
        stack.client() as client,
    ):
        for dag_id in NAMES:
            while not client.get("/api/v2/dags", params={"dag_id_pattern": dag_id}).json()["dags"]:
                stack.check()
                time.sleep(0.5)
            client.patch(f"/api/v2/dags/{dag_id}", json={"is_paused": False})
        yield stack, client


def _run_range(client: httpx.Client, options: generate.Options) -> None:
    """Load all days in one run."""
    runs = f"/api/v2/dags/{airflow.DAG_ID}/dagRuns"
    end = options.begin + timedelta(days=options.days)
    conf = {"start": options.begin.isoformat(), "end": end.isoformat()}
    run_id = client.post(runs, json={"logical_date": None, "conf": conf}).json()["dag_run_id"]
    while (state := client.get(f"{runs}/{run_id}").json()["state"]) in ("queued", "running"):
        time.sleep(0.5)
    if state != "success":
        raise ContenderError(f"{MONTH.format(options.days)}: the run ended as {state}.")


def _backfill(scene: Scene, stack: Stack, client: httpx.Client, runs: Runs, start: datetime, end: datetime) -> None:
    """Load some hours."""
    backfill = Backfill(stack, client, scene.postgres.uri(METADATA), runs.dag_id)
    backfill.begin(start, end, Options(runs=AT_ONCE if runs.dag_id != CLASSIC_ID else 1))
    outcome = backfill.wait(lambda states, retries: None)
    if not outcome.succeeded:
        raise ContenderError(f"{NAMES[runs.dag_id]}: {len(outcome.failed)} runs failed: {outcome.failures}")
    _settle(scene, runs, "backfill", start)


@contextmanager
def _watch(stack: Stack, runs: Runs) -> Iterator[None]:
    """Count the time that all of Airflow's processes use meanwhile."""
    before = _cpu(stack)
    yield
    runs.cpu += _cpu(stack) - before


def _cpu(stack: Stack) -> float:
    """Return the seconds that Airflow's processes, those that have ended included, have used so far."""
    seconds = 0.0
    for component in stack.processes.values():
        process = psutil.Process(component.pid)
        for member in [process, *process.children(recursive=True)]:
            try:
                seconds += sum(member.cpu_times()[:4])
            except psutil.NoSuchProcess:  # its parent has it from now on
                continue
    return seconds


def _settle(scene: Scene, runs: Runs, kind: str, since: datetime) -> None:
    """Add what Airflow has noted of a DAG's latest runs, those of logical dates from a moment on."""
    with psycopg.connect(scene.postgres.uri(METADATA)) as connection:
        (wall, count, tasks) = connection.execute(
            "SELECT EXTRACT(EPOCH FROM MAX(r.end_date) - MIN(r.start_date)), COUNT(*), "
            "SUM((SELECT COUNT(*) FROM task_instance AS t WHERE t.dag_id = r.dag_id AND t.run_id = r.run_id)) "
            "FROM dag_run AS r WHERE r.dag_id = %s AND r.run_type = %s "
            "AND (r.logical_date IS NULL OR r.logical_date >= %s)",
            [runs.dag_id, kind, since],
        ).fetchone() or (0, 0, 0)
    runs.walls.append(float(wall))
    runs.runs += count
    runs.tasks += int(tasks)


def _section(
    given: argparse.Namespace, made: generate.Summary, month: Runs, hourly: list[Runs], others: Runs
) -> Section:
    name, hours = MONTH.format(given.days), given.rounds * given.hours
    rows = [month.row(name, 1), *(runs.row(NAMES[runs.dag_id], given.hours) for runs in hourly)]
    if others.runs:
        rows.append(others.row(REST, others.runs))
    ours, idle, _ = hourly
    sums = " / ".join(f"{sum(runs.walls):,.0f} s" for runs in hourly)
    return Section(
        f"{made.events:,} events of {given.days} days on Airflow's scheduler",
        ["", "runs", "tasks", "seconds a run: median (least to most)", "tasks/s", "CPU-s a task"],
        list(rows),
        [
            Goal(f"{name}:", month.walls[0], most=SECONDS, unit=" s"),
            Goal("a task of an hourly run, Airflow's own part included:", ours.cost, most=CPU_SECONDS, unit=" CPU-s"),
        ],
        [
            f"Of the {ours.cost:.2f} CPU-seconds of an hourly task, {idle.cost:.2f} are Airflow's own, as the idle DAG "
            f"shows, and {ours.cost - idle.cost:.2f}, {1 - idle.cost / ours.cost:.0%}, are this project's. The "
            "databases are left out.",
            f"All {hours} hours took {sums}: ours, the idle DAG, and the classic design, which reads all files each "
            "hour, in 4 tasks instead of 10.",
        ],
    )
