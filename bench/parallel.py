"""Hourly runs, many at once: each run in a new process, all of them against one warehouse.

The same hours are loaded with 6 runs at once, as many as the DAG allows and the baseline, and with 100. A process runs
the tasks of an hour one after the other, without a scheduler: up to 100 tasks lock, write and commit at the same time,
more than Airflow's executor starts by default. A failed task is retried as often as on Airflow, but after a shorter
delay. Afterwards all tables must be those of one single run over all hours.

Counted are the deadlocks, the transactions retried after a serialization conflict, and the tasks retried after errors.
A run that the others overtake takes longer than most: the slowest run is compared with the median.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import psycopg

from bench.race import ContenderError
from bench.results import Goal, ResultTable, spread
from sandbox import generate, upload
from sandbox.backfill_client import HOUR
from sandbox.lab import Lab

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from bench.testbed import Testbed

BUCKET, EMPTY, SINGLE, ROUND = "parallel", "parallel_empty", "parallel_single", "parallel_round"
OURS = "ours, {} runs at once"
# Imported once, like the packages of Airflow's tasks.
PRELOADED = ["bench.parallel", "sparkify_warehouse", "sparkify.warehouse.postgres.session", "sparkify.quality.evaluate"]
CONFLICTS = "sparkify.warehouse.transactions"  # the logger of their warnings
RETRY_DELAY = 0.5  # seconds; each retry doubles it
SLOWEST, THROUGHPUT = 2.0, 0.8
POLL_INTERVAL = 0.2  # seconds between samples of the connections


class HourlyRun(NamedTuple):
    """A run as its process has measured it.

    :param seconds: from its first task to the end of its last one.
    :param conflicts: transactions that were retried after a serialization conflict.
    :param errors: those after which a task was retried.
    """

    seconds: float
    conflicts: int
    errors: list[str]


@dataclass
class Runs:
    """The runs of all hours, with a number of them at once.

    :param at_once: that number.
    :param walls: seconds of each round.
    :param runs: the runs of all rounds.
    :param deadlocks: their deadlocks, as counted by PostgreSQL.
    :param connections: the highest number of connections, sampled.
    """

    at_once: int
    walls: list[float] = field(default_factory=list)
    runs: list[HourlyRun] = field(default_factory=list)
    deadlocks: int = 0
    connections: int = 0

    @property
    def rate(self) -> float:
        """Runs per second."""
        return len(self.runs) / sum(self.walls)

    @property
    def slowest(self) -> float:
        """The duration of the slowest run, as a multiple of the median."""
        seconds = [run.seconds for run in self.runs]
        return max(seconds) / median(seconds)

    @property
    def errors(self) -> Counter[str]:
        """The errors after which tasks were retried."""
        return Counter(error for run in self.runs for error in run.errors)

    def row(self) -> list[str]:
        """Return the row of the result table."""
        return [
            OURS.format(self.at_once),
            f"{len(self.runs):,}",
            spread([60 * len(self.runs) / len(self.walls) / wall for wall in self.walls], digits=0),
            spread([run.seconds for run in self.runs], digits=1),
            f"{self.slowest:.2f}",
            f"{self.connections:,}",
            f"{sum(run.conflicts for run in self.runs):,}",
            f"{self.deadlocks:,}",
            f"{self.errors.total():,}",
        ]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command-line options."""
    parser.add_argument("--hours", type=int, default=100, help="hourly runs per round (%(default)s)")
    parser.add_argument("--at-once", type=int, nargs=2, default=[6, 100], help="baseline, and ours (%(default)s)")
    parser.add_argument("--users", type=int, default=1000, help="users of about eight events a day (%(default)s)")
    parser.add_argument("--songs", type=int, default=1000, help="songs of the catalogue (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds (%(default)s)")


def shrink(given: argparse.Namespace) -> None:
    """Choose sizes that are small enough for a test."""
    given.hours, given.at_once, given.users, given.songs, given.rounds = 6, [2, 6], 50, 20, 1


def measure(given: argparse.Namespace, testbed: Testbed, progress: Callable[[str], None]) -> Iterator[ResultTable]:
    """Yield the result table.

    :raises ContenderError: if a run fails, or the tables differ from those of a single run.
    """
    options = generate.Options(users=given.users, songs=given.songs, days=-(-given.hours // 24))
    generate.write(options, testbed.folder / "data")
    store = testbed.bucket(BUCKET)
    upload.sync(testbed.folder / "data", store)
    hours = [options.begin + number * HOUR for number in range(given.hours)]
    contenders = [Runs(at_once) for at_once in given.at_once]
    log = testbed.folder / "log"
    log.touch()
    logging.disable()  # tasks log each statement
    with testbed.database(EMPTY) as uri:
        _run_single(Lab(uri, store, BUCKET, testbed.connections(EMPTY)), hours, ["create_tables"])
        with testbed.database(SINGLE, EMPTY) as uri:
            single = Lab(uri, store, BUCKET, testbed.connections(SINGLE))
            _run_single(single, hours)
            expected = single.tables()
        for number in range(1, given.rounds + 1):
            for runs in contenders:
                with testbed.database(ROUND, EMPTY) as uri:
                    lab = Lab(uri, store, BUCKET, testbed.connections(ROUND))
                    _run_hours(runs, lab, hours, log)
                    found = lab.tables()
                if different := [table for table, rows in expected.items() if found[table] != rows]:
                    raise ContenderError(f"{OURS.format(runs.at_once)}: {different} differ from those of a single run.")
                progress(f"round {number}, {OURS.format(runs.at_once)}: {runs.walls[-1]:.1f} s")
    yield _table(f"{given.hours} hourly runs of {len(expected['events']):,} events", *contenders)


def _run_single(lab: Lab, hours: Sequence[datetime], tasks: Sequence[str] | None = None) -> None:
    """Load all hours in one run."""
    os.environ.update(lab.environment)
    lab.run(hours[0].isoformat(), (hours[-1] + HOUR).isoformat(), tasks=tasks)


def _run_hours(runs: Runs, lab: Lab, hours: Sequence[datetime], log: Path) -> None:
    """Load each hour in a run of its own; add what was measured.

    :param log: the file for the output of the processes.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    with (
        psycopg.connect(lab.uri, autocommit=True) as monitor,
        context.Pool(runs.at_once, _prepare, (lab.environment, log), maxtasksperchild=1) as pool,
    ):
        began = time.perf_counter()
        results = pool.map_async(partial(_run_hour, lab), hours, chunksize=1)
        while not results.ready():
            results.wait(POLL_INTERVAL)
            count = monitor.execute("SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database()")
            runs.connections = max(runs.connections, *next(count))
        runs.walls.append(time.perf_counter() - began)
        runs.runs += results.get()
        statistics = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        ((deadlocks,),) = monitor.execute(statistics)
        runs.deadlocks += deadlocks


def _prepare(environment: Mapping[str, str], log: Path) -> None:
    """Set the connections of a process, and redirect its output."""
    output = os.open(log, os.O_WRONLY | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ.update(environment)


class _Conflicts(logging.Handler):
    """Counts the warnings of serialization conflicts."""

    count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += record.levelno == logging.WARNING


def _run_hour(lab: Lab, hour: datetime) -> HourlyRun:
    """Run the tasks of the DAG for an hour, with retries."""
    from airflow.sdk.exceptions import AirflowFailException

    conflicts, errors = _Conflicts(), list[str]()
    log = logging.getLogger(CONFLICTS)
    log.addHandler(conflicts)
    began = time.perf_counter()
    for task in lab.dag.topological_sort():
        for number in range(task.retries + 1):
            try:
                lab.run(hour.isoformat(), (hour + HOUR).isoformat(), tasks=[task.task_id])
                break
            except AirflowFailException:
                raise
            except Exception as error:
                if number == task.retries:
                    raise
                errors.append(" ".join(f"{task.task_id}: {error}".split()))
                time.sleep(RETRY_DELAY * 2**number)
    log.removeHandler(conflicts)
    return HourlyRun(time.perf_counter() - began, conflicts.count, errors)


def _table(what: str, baseline: Runs, many: Runs) -> ResultTable:
    errors = [f"Retried {count} times after: {error}" for error, count in (baseline.errors + many.errors).items()]
    return ResultTable(
        what,
        [
            "",
            "runs",
            "runs per minute: median (min to max)",
            "seconds of a run: median (min to max)",
            "slowest / median",
            "connections",
            "conflicts",
            "deadlocks",
            "retried tasks",
        ],
        [baseline.row(), many.row()],
        [
            Goal(f"deadlocks, {many.at_once} at once:", many.deadlocks, most=0),
            Goal(f"slowest run to the median, {many.at_once} at once:", many.slowest, most=SLOWEST),
            Goal(
                f"throughput, {many.at_once} to {baseline.at_once} at once:",
                many.rate / baseline.rate,
                least=THROUGHPUT,
            ),
        ],
        ["All tables are those of one single run. Conflicts are transactions that were retried.", *errors],
    )
