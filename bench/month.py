"""A month in one run: the tasks of the DAG over the files of 30 days, one after the other, into new tables.

The same run without the marts, and without the checks that compare them, is the baseline. The goal is 60 seconds.
``make bench ARGS=runs`` measures such a run on Airflow's scheduler.
"""

from __future__ import annotations

from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING

from bench import data
from bench.race import Contender, race
from bench.results import Goal, ResultTable, compare
from sandbox import generate, upload

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from bench.testbed import Testbed

BUCKET = "month"
OURS, STAR = "ours: all tasks", "ours: without marts and checks"
SECONDS = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command-line options."""
    parser.add_argument("--days", type=int, default=30, help="days of events (%(default)s)")
    parser.add_argument("--users", type=int, default=1000, help="users of about eight events a day (%(default)s)")
    parser.add_argument("--songs", type=int, default=1000, help="songs of the catalogue (%(default)s)")
    parser.add_argument("--repeat", type=int, default=5, help="rounds (%(default)s)")


def shrink(given: argparse.Namespace) -> None:
    """Choose sizes that are small enough for a test."""
    given.days, given.users, given.songs, given.repeat = 2, 20, 20, 1


def measure(given: argparse.Namespace, testbed: Testbed, progress: Callable[[str], None]) -> Iterator[ResultTable]:
    """Yield the result table."""
    options = generate.Options(users=given.users, songs=given.songs, days=given.days)
    made = generate.write(options, testbed.folder / "data")
    upload.sync(testbed.folder / "data", testbed.bucket(BUCKET))
    job = {
        "bucket": BUCKET,
        "start": options.begin.isoformat(),
        "end": (options.begin + timedelta(days=given.days)).isoformat(),
    }
    star = data.task_ids("stage_events", "stage", "load")
    marts = data.task_ids("load_events", "marts", "publish")
    contenders = [
        Contender(OURS, "task", made.events, {**job, "tasks": [*star, *marts]}),
        Contender(STAR, "task", made.events, {**job, "tasks": star}),
    ]
    results = race(testbed, contenders, given.repeat, progress)
    header, rows = compare(results.values(), results[OURS], "events")
    yield ResultTable(
        f"{made.events:,} events of {given.days} days in one run",
        header,
        rows,
        [Goal(f"{given.days} days in one run:", median(results[OURS].seconds), most=SECONDS, unit=" s")],
        ["CPU-s is that of the tasks' process; most of the work is PostgreSQL's."],
    )
