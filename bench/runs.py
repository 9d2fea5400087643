"""Runs on Airflow's scheduler: hourly runs, one run over all days, and Airflow's own overhead.

Three DAGs load the same hours alternately, one day per round, each as a backfill with the maximum number of concurrent
runs that it supports: the warehouse's DAG, a DAG of the same shape whose tasks do nothing
(``bench/dags/idle_hours.py``), and the classic design (``bench/dags/classic_hours.py``). ``--rounds 30`` is a month,
which takes nearly two hours. Then the warehouse's DAG loads all days in one run, several times, into empty tables. At
last the benchmark of the code before does the same, with the idle DAG of its own shape.
"""

from __future__ import annotations

import argparse
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median
from threading import Event, Thread
from typing import TYPE_CHECKING

import psutil
import psycopg

from bench import before, data
from bench.race import Contender, ContenderError, run
from bench.results import Goal, ResultTable, spread
from sandbox import airflow, generate, upload
from sandbox.api import dag_run_path
from sandbox.backfill_client import HOUR, Backfill, BackfillOptions
from sandbox.deployment import LocalDeployment, run_deployment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.testbed import Testbed
    from sandbox.api import AirflowClient

BUCKET, WAREHOUSE, CLASSIC, METADATA = "runs", "warehouse", "classic", "metadata"
IDLE_ID, CLASSIC_ID = "idle_hours", "classic_hours"
NAMES = {
    airflow.DAG_ID: "ours, hourly runs",
    IDLE_ID: "idle DAG of the same shape",
    CLASSIC_ID: "classic design, hourly runs",
}
RANGE, SECONDS = "ours, {} days in one run", 60.0
HEADER = ["", "runs", "tasks", "total seconds", "seconds per run: median (min to max)", "tasks/s", "CPU-s per task",
          "peak MB"]  # fmt: skip
COST = HEADER.index("CPU-s per task")
CPU_SECONDS = 0.25  # goal: per task, including Airflow's own
# Goals: over the idle DAG, in seconds, and of the CPU time per task before, both without Airflow's own.
OVER_IDLE, SHARE = 1.6, 0.5
AT_ONCE = 6
POLL_INTERVAL = 2  # seconds between memory samples


@dataclass
class RunStats:
    """The resource usage of a DAG's runs.

    :param dag_id: the DAG.
    :param name: its name in the results.
    :param walls: wall-clock seconds of each round, from the start of its first run to the end of its last.
    :param cpu: CPU seconds of all of Airflow's processes.
    :param peak: their highest sampled memory, in bytes.
    :param runs: the number of runs.
    :param tasks: the number of task instances.
    """

    dag_id: str
    name: str
    walls: list[float] = field(default_factory=list)
    cpu: float = 0
    peak: float = 0
    runs: int = 0
    tasks: int = 0

    @property
    def cost(self) -> float:
        """CPU seconds per task."""
        return self.cpu / self.tasks

    def row(self) -> list[str]:
        """Return the row of the result table."""
        a_round = self.runs // len(self.walls)
        return [
            self.name,
            f"{self.runs:,}",
            f"{self.tasks:,}",
            f"{sum(self.walls):,.0f}",
            spread([wall / a_round for wall in self.walls]),
            f"{self.tasks / sum(self.walls):.1f}",
            f"{self.cost:.2f}",
            f"{self.peak / 1e6:,.0f}",
        ]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command-line options."""
    parser.add_argument("--days", type=int, default=30, help="days of events (%(default)s)")
    parser.add_argument("--users", type=int, default=1000, help="users of about eight events a day (%(default)s)")
    parser.add_argument("--songs", type=int, default=1000, help="songs of the catalogue (%(default)s)")
    parser.add_argument("--hours", type=int, default=24, help="hours per round (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of hourly runs (%(default)s)")
    parser.add_argument("--repeat", type=int, default=5, help="runs over all days (%(default)s)")
    parser.add_argument("--before", action=argparse.BooleanOptionalAction, default=True, help="measure the code before")


def shrink(given: argparse.Namespace) -> None:
    """Choose sizes that are small enough for a test."""
    given.days, given.users, given.songs, given.hours, given.rounds, given.repeat = 1, 20, 20, 1, 1, 1
    given.before = False


def measure(given: argparse.Namespace, testbed: Testbed, progress: Callable[[str], None]) -> Iterator[ResultTable]:
    """Yield the result table.

    :raises ContenderError: if a run fails.
    """
    options = generate.Options(users=given.users, songs=given.songs, days=given.days)
    made = generate.write(options, testbed.folder / "data")
    upload.sync(testbed.folder / "data", testbed.bucket(BUCKET))
    classic = testbed.postgres.create_database(CLASSIC)
    tables = {**data.DAY, "bucket": BUCKET, "tasks": ["create_tables"]}
    run(testbed, Contender("create tables", "task", 0, tables), classic)
    hourly = [RunStats(dag_id, name) for dag_id, name in NAMES.items()]
    ranges = RunStats(airflow.DAG_ID, RANGE.format(given.days))
    with _airflow(testbed) as (deployment, client):
        for number in range(given.rounds):
            start = options.begin + number * given.hours * HOUR
            for runs in hourly:
                with _watch(testbed, deployment, runs):
                    _backfill(testbed, deployment, client, runs, start, start + given.hours * HOUR)
                progress(f"round {number + 1}, {runs.name}: {runs.walls[-1]:.1f} s")
        for number in range(given.repeat):
            with _watch(testbed, deployment, ranges):
                _run_range(client, options)
            progress(f"round {number + 1}, {ranges.name}: {ranges.walls[-1]:.1f} s")
    yield _table(given, made, hourly, ranges, _before(given, testbed, progress) if given.before else [])


def _before(given: argparse.Namespace, testbed: Testbed, progress: Callable[[str], None]) -> list[list[str]]:
    """Return the rows of the code before: hourly runs, and its idle DAG."""
    names = ("days", "users", "songs", "hours", "rounds")
    arguments = [argument for name in names for argument in (f"--{name}", str(getattr(given, name)))]
    progress(f"{before.NAME}: its own benchmark, without progress")
    with before.checkout(testbed.folder) as checkout:
        ((_, ours, idle, _),) = before.script(checkout, "benchmark", "runs", *arguments, "--repeat", "1")
    return [[f"{before.NAME}, {name}", *figures] for name, *figures in (ours, idle)]


@contextmanager
def _airflow(testbed: Testbed) -> Iterator[tuple[LocalDeployment, AirflowClient]]:
    """Run Airflow with the three DAGs."""
    home = testbed.folder / "scheduler"
    dags = home / "dags"
    dags.mkdir(parents=True)
    (home / "include").symlink_to(airflow.ROOT / "include")
    for file in (airflow.ROOT / "dags" / f"{airflow.DAG_ID}.py", *(airflow.ROOT / "bench" / "dags").glob("*.py")):
        (dags / file.name).symlink_to(file)
    metadata = testbed.postgres.create_database(METADATA)
    testbed.postgres.create_database(WAREHOUSE)
    environment = {
        **airflow.environment(
            home,
            metadata=airflow.sqlalchemy_url(metadata),
            postgres=testbed.postgres,
            database=WAREHOUSE,
            s3=testbed.s3,
            bucket=BUCKET,
        ),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
        "AIRFLOW_CONN_CLASSIC": testbed.connections(CLASSIC)["AIRFLOW_CONN_REDSHIFT"],
    }
    with (
        run_deployment(home, environment, dag_ids=[airflow.DAG_ID], parallelism=2 * AT_ONCE) as deployment,
        deployment.client() as client,
    ):
        for dag_id in NAMES:
            while client.dag(dag_id) is None:
                deployment.check()
                time.sleep(0.5)
            client.unpause(dag_id)
        yield deployment, client


def _run_range(client: AirflowClient, options: generate.Options) -> None:
    """Load all days in one run, into new tables."""
    end = options.begin + timedelta(days=options.days)
    conf = {"start": options.begin.isoformat(), "end": end.isoformat(), "recreate_tables": "recreate all tables"}
    path = dag_run_path(airflow.DAG_ID, client.trigger(airflow.DAG_ID, conf))
    while (state := client.get(path).json()["state"]) in ("queued", "running"):
        time.sleep(0.5)
    if state != "success":
        raise ContenderError(f"{RANGE.format(options.days)}: the run ended in the state {state}.")


def _backfill(
    testbed: Testbed, deployment: LocalDeployment, client: AirflowClient, runs: RunStats, start: datetime, end: datetime
) -> None:
    """Load an interval with a backfill."""
    backfill = Backfill(deployment, client, testbed.postgres.uri(METADATA), runs.dag_id)
    backfill.begin(start, end, BackfillOptions(runs=AT_ONCE if runs.dag_id != CLASSIC_ID else 1))
    outcome = backfill.wait(lambda states, retries: None)
    if not outcome.succeeded:
        raise ContenderError(f"{runs.name}: {len(outcome.failed)} runs failed: {outcome.failures}")


@contextmanager
def _watch(testbed: Testbed, deployment: LocalDeployment, runs: RunStats) -> Iterator[None]:
    """Add the times, CPU and memory of the runs that start in this context.

    A thread samples the memory, because the body of the context blocks.
    """
    began, before = datetime.now(UTC), _cpu(deployment)
    done = Event()

    def poll() -> None:
        while True:
            runs.peak = max(runs.peak, _memory(deployment))
            if done.wait(POLL_INTERVAL):
                return

    poller = Thread(target=poll)
    poller.start()
    try:
        yield
    finally:
        done.set()
        poller.join()
    runs.cpu += _cpu(deployment) - before
    with psycopg.connect(testbed.postgres.uri(METADATA)) as connection:
        (wall, count, tasks) = connection.execute(
            "SELECT EXTRACT(EPOCH FROM MAX(r.end_date) - MIN(r.start_date)), COUNT(*), "
            "SUM((SELECT COUNT(*) FROM task_instance AS t WHERE t.dag_id = r.dag_id AND t.run_id = r.run_id)) "
            "FROM dag_run AS r WHERE r.dag_id = %s AND r.start_date >= %s",
            [runs.dag_id, began],
        ).fetchone() or (0, 0, 0)
    runs.walls.append(float(wall))
    runs.runs += count
    runs.tasks += int(tasks)


def _cpu(deployment: LocalDeployment) -> float:
    """Return the CPU seconds of Airflow's processes so far, including ended ones."""
    return sum(_each(deployment, lambda process: sum(process.cpu_times()[:4])))


def _memory(deployment: LocalDeployment) -> float:
    """Return the memory of Airflow's processes, in bytes; shared memory counts once if the system reports it."""

    def share(process: psutil.Process) -> int:
        info = process.memory_full_info()
        return int(getattr(info, "pss", info.uss))

    return sum(_each(deployment, share))


def _each(deployment: LocalDeployment, measure: Callable[[psutil.Process], float]) -> list[float]:
    """Return a measured value for each of Airflow's processes."""
    found = []
    for component in deployment.processes.values():
        process = psutil.Process(component.pid)
        for member in [process, *process.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):  # it has ended; its CPU time is added to its parent's
                found.append(measure(member))
    return found


def _table(
    given: argparse.Namespace,
    made: generate.GeneratedFiles,
    hourly: list[RunStats],
    ranges: RunStats,
    former: list[list[str]],
) -> ResultTable:
    ours, idle, _ = hourly
    own = ours.cost - idle.cost
    goals = [
        Goal(f"{ranges.name}:", median(ranges.walls), most=SECONDS, unit=" s"),
        Goal("ours, hourly runs / idle DAG, seconds:", sum(ours.walls) / sum(idle.walls), most=OVER_IDLE),
        Goal(
            "CPU time per task of an hourly run, including Airflow's own:", ours.cost, most=CPU_SECONDS, unit=" CPU-s"
        ),
    ]
    if former:
        cost, cost_idle = (float(row[COST]) for row in former)
        share = own / (cost - cost_idle)
        goals.append(Goal("CPU time per task without Airflow's, as a share of that before:", share, most=SHARE))
    return ResultTable(
        f"{made.events:,} events of {given.days} days on Airflow's scheduler",
        HEADER,
        [*(runs.row() for runs in (ranges, *hourly)), *former],
        goals,
        [
            f"A round is {given.hours} hours, {given.rounds} rounds. The classic design reads all files each hour, in "
            f"4 tasks instead of {ours.tasks // ours.runs}, and has no marts. Memory is that of all of Airflow's "
            f"processes, sampled every {POLL_INTERVAL} s.",
            f"Of the {ours.cost:.2f} CPU seconds per hourly task, {idle.cost:.2f} are Airflow's own, as measured with "
            f"the idle DAG, and {own:.2f} ({own / ours.cost:.0%}) are this project's. The databases are not included.",
        ],
    )
