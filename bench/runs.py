"""Runs on Airflow's own scheduler: hour by hour, all days in one run, and what Airflow costs by itself.

Three DAGs load the same hours in turn, a day at a time, each as a backfill of as many runs at once as it can stand: the
warehouse's, one of the same shape whose tasks do nothing (``bench/dags/idle_hours.py``), and the classic design
(``bench/dags/classic_hours.py``). ``--rounds 30`` is a month, which takes nearly two hours. Runs of the warehouse's DAG
over all days follow, each from empty tables.
"""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median
from threading import Event, Thread
from typing import TYPE_CHECKING

import psutil
import psycopg

from bench import data
from bench.race import Contender, ContenderError, run
from bench.report import Goal, Section, spread
from sandbox import airflow, generate, upload
from sandbox.api import dag_run_path
from sandbox.backfill_client import HOUR, Backfill, BackfillOptions
from sandbox.deployment import LocalDeployment, run_deployment

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from bench.scene import Scene
    from sandbox.api import AirflowClient

BUCKET, WAREHOUSE, CLASSIC, METADATA = "runs", "warehouse", "classic", "metadata"
IDLE_ID, CLASSIC_ID = "idle_hours", "classic_hours"
NAMES = {
    airflow.DAG_ID: "ours, hour by hour",
    IDLE_ID: "the same DAG, idle",
    CLASSIC_ID: "the classic design, hour by hour",
}
RANGE, SECONDS = "ours, {} days in one run", 60.0
CPU_SECONDS = 0.25  # of a task, Airflow's own part included
AT_ONCE = 6
LOOK = 2  # seconds between two looks at the memory


@dataclass
class Runs:
    """What the runs of a DAG took.

    :param name: as the report calls them.
    :param walls: seconds from the start of the first run to the end of the last, of each round.
    :param cpu: seconds of all of Airflow's processes.
    :param peak: the memory that they had at once at most, as far as was seen, in bytes.
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
        """CPU-seconds of a task."""
        return self.cpu / self.tasks

    def row(self) -> list[str]:
        """Return its row of the table."""
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
    """Declare what can be chosen."""
    parser.add_argument("--days", type=int, default=30, help="of events (%(default)s)")
    parser.add_argument("--users", type=int, default=1000, help="each makes about eight events a day (%(default)s)")
    parser.add_argument("--songs", type=int, default=1000, help="of the catalogue (%(default)s)")
    parser.add_argument("--hours", type=int, default=24, help="of a round (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="of hours (%(default)s)")
    parser.add_argument("--repeat", type=int, default=5, help="runs over all days (%(default)s)")


def shrink(given: argparse.Namespace) -> None:
    """Choose sizes that are small enough for a test."""
    given.days, given.users, given.songs, given.hours, given.rounds, given.repeat = 1, 20, 20, 1, 1, 1


def measure(given: argparse.Namespace, scene: Scene, tell: Callable[[str], None]) -> Iterator[Section]:
    """Yield what was found.

    :raises ContenderError: if a run fails.
    """
    options = generate.Options(users=given.users, songs=given.songs, days=given.days)
    made = generate.write(options, scene.folder / "data")
    upload.sync(scene.folder / "data", scene.bucket(BUCKET))
    classic = scene.postgres.create_database(CLASSIC)
    tables = {**data.DAY, "bucket": BUCKET, "tasks": ["create_tables"]}
    run(scene, Contender("create tables", "task", 0, tables), classic)
    hourly = [Runs(dag_id, name) for dag_id, name in NAMES.items()]
    ranges = Runs(airflow.DAG_ID, RANGE.format(given.days))
    with _airflow(scene) as (deployment, client):
        for number in range(given.rounds):
            start = options.begin + number * given.hours * HOUR
            for runs in hourly:
                with _watch(scene, deployment, runs):
                    _backfill(scene, deployment, client, runs, start, start + given.hours * HOUR)
                tell(f"round {number + 1}, {runs.name}: {runs.walls[-1]:.1f} s")
        for number in range(given.repeat):
            with _watch(scene, deployment, ranges):
                _run_range(client, options)
            tell(f"round {number + 1}, {ranges.name}: {ranges.walls[-1]:.1f} s")
    yield _section(given, made, hourly, ranges)


@contextmanager
def _airflow(scene: Scene) -> Iterator[tuple[LocalDeployment, AirflowClient]]:
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
        run_deployment(home, environment, dag_id=airflow.DAG_ID, parallelism=2 * AT_ONCE) as deployment,
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
    conf = {"start": options.begin.isoformat(), "end": end.isoformat(), "recreate_tables": True}
    path = dag_run_path(airflow.DAG_ID, client.trigger(airflow.DAG_ID, conf))
    while (state := client.get(path).json()["state"]) in ("queued", "running"):
        time.sleep(0.5)
    if state != "success":
        raise ContenderError(f"{RANGE.format(options.days)}: the run ended as {state}.")


def _backfill(
    scene: Scene, deployment: LocalDeployment, client: AirflowClient, runs: Runs, start: datetime, end: datetime
) -> None:
    """Load some hours."""
    backfill = Backfill(deployment, client, scene.postgres.uri(METADATA), runs.dag_id)
    backfill.begin(start, end, BackfillOptions(runs=AT_ONCE if runs.dag_id != CLASSIC_ID else 1))
    outcome = backfill.wait(lambda states, retries: None)
    if not outcome.succeeded:
        raise ContenderError(f"{runs.name}: {len(outcome.failed)} runs failed: {outcome.failures}")


@contextmanager
def _watch(scene: Scene, deployment: LocalDeployment, runs: Runs) -> Iterator[None]:
    """Add what the runs that start meanwhile take, by Airflow's own notes, and what its processes use.

    The memory is looked at from a thread, because what is watched waits for Airflow.
    """
    began, before = datetime.now(UTC), _cpu(deployment)
    done = Event()

    def look() -> None:
        while True:
            runs.peak = max(runs.peak, _memory(deployment))
            if done.wait(LOOK):
                return

    looking = Thread(target=look)
    looking.start()
    try:
        yield
    finally:
        done.set()
        looking.join()
    runs.cpu += _cpu(deployment) - before
    with psycopg.connect(scene.postgres.uri(METADATA)) as connection:
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
    """Return the seconds that Airflow's processes, those that have ended included, have used so far."""
    return sum(_each(deployment, lambda process: sum(process.cpu_times()[:4])))


def _memory(deployment: LocalDeployment) -> float:
    """Return the bytes that Airflow's processes have; what several share counts once, where the system tells."""

    def share(process: psutil.Process) -> int:
        info = process.memory_full_info()
        return int(getattr(info, "pss", info.uss))

    return sum(_each(deployment, share))


def _each(deployment: LocalDeployment, tell: Callable[[psutil.Process], float]) -> list[float]:
    """Return what each of Airflow's processes has of something."""
    found = []
    for component in deployment.processes.values():
        process = psutil.Process(component.pid)
        for member in [process, *process.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):  # its parent has its time from now on
                found.append(tell(member))
    return found


def _section(given: argparse.Namespace, made: generate.GeneratedFiles, hourly: list[Runs], ranges: Runs) -> Section:
    ours, idle, _ = hourly
    return Section(
        f"{made.events:,} events of {given.days} days on Airflow's scheduler",
        [
            "",
            "runs",
            "tasks",
            "seconds in all",
            "seconds a run: median (least to most)",
            "tasks/s",
            "CPU-s a task",
            "peak MB",
        ],
        [runs.row() for runs in (ranges, *hourly)],
        [
            Goal(f"{ranges.name}:", median(ranges.walls), most=SECONDS, unit=" s"),
            Goal("a task of an hourly run, Airflow's own part included:", ours.cost, most=CPU_SECONDS, unit=" CPU-s"),
        ],
        [
            f"A round is {given.hours} hours, {given.rounds} rounds. The classic design reads all files each hour, in "
            f"4 tasks instead of 10. The memory is that of all of Airflow's processes, looked at every {LOOK} seconds.",
            f"Of the {ours.cost:.2f} CPU-seconds of an hourly task, {idle.cost:.2f} are Airflow's own, as the idle DAG "
            f"shows, and {ours.cost - idle.cost:.2f}, {1 - idle.cost / ours.cost:.0%}, are this project's. The "
            "databases are left out.",
        ],
    )
