"""A pass of the reconciliation over ten years of files, where nothing differs.

3,650 daily files and 87,600 hourly ones are recorded as staged, then each is reconciled several times, in a new
process: the ledger is read, the source is listed, and both are compared. The goals: 2 seconds for daily files, and 10
seconds for hourly ones. The S3 server returns 1,000 keys per response, like Amazon S3.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from bench.results import Goal, ResultTable, spread
from sandbox.airflow import ROOT
from sandbox.lab import Lab
from sparkify.interval import PERIODS, Interval
from sparkify.reconcile.listing import versions
from sparkify.warehouse import connect

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence

    from bench.testbed import Testbed
    from sparkify.interval import Period

START = datetime(2010, 1, 1, tzinfo=UTC)

# Prints the seconds of a pass, and the peak memory before and after it.
PROGRAM = """
import json, sys, time
from contextlib import redirect_stdout
from bench.child import peak_memory
from sandbox.lab import Lab
from sparkify.operators import ReconcileOperator
key, period, uri, bucket = sys.argv[1:]
task = ReconcileOperator(
    task_id="reconcile", table="staging_events", bucket=bucket, key=key, file_period=period,
    trigger_dag_id="sparkify_warehouse", max_active_runs=6,
)
lab = Lab(uri, None, bucket, {})
with redirect_stdout(sys.stderr):
    before, began = peak_memory(), time.perf_counter()
    assert lab.reconcile_pass(task) == []
    seconds = time.perf_counter() - began
print(json.dumps([seconds, before, peak_memory()]))
"""


class Source(NamedTuple):
    """A source to reconcile.

    :param goal: seconds of a pass.
    """

    period: Period
    key: str
    files: int
    goal: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command-line options."""
    parser.add_argument("--days", type=int, default=3650, help="days of history (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="timed passes, after an untimed one (%(default)s)")


def shrink(given: argparse.Namespace) -> None:
    """Choose sizes that are small enough for a test."""
    given.days, given.rounds = 3, 1


def measure(given: argparse.Namespace, testbed: Testbed, progress: Callable[[str], None]) -> Iterator[ResultTable]:
    """Yield the result table."""
    rows: list[Sequence[str]] = []
    goals = []
    for source in sources(given.days):
        name = f"{source.period}s"
        seconds, before, peak = _passes(source, name, given.rounds, testbed)
        progress(f"{name}: {source.files:,} files")
        rows.append(
            [
                f"a file for each {source.period}",
                f"{source.files:,}",
                spread(seconds),
                f"{peak / 1e6:,.0f}",
                f"{(peak - before) / 1e6:,.0f}",
            ]
        )
        goals.append(Goal(f"a pass over {source.files:,} files:", median(seconds), most=source.goal, unit=" s"))
    yield ResultTable(
        "a pass where nothing differs",
        ["", "files", "seconds: median (min to max)", "peak MB", "growth MB"],
        rows,
        goals,
        ["Connecting to the warehouse is included; starting the process, and importing Airflow, is not."],
    )


def sources(days: int) -> list[Source]:
    """Return the sources.

    :param days: of their history.
    """
    return [
        Source("day", "log_data/%Y/%m/%Y-%m-%d-events.json", days, 2),
        Source("hour", "log_data/%Y/%m/%d/%H-events.json", 24 * days, 10),
    ]


def _passes(source: Source, name: str, rounds: int, testbed: Testbed) -> tuple[list[float], int, int]:
    """Write the files and the ledger, and run passes; return their seconds, and the peak memory before and after."""
    testbed.bucket(name)
    periods = list(Interval(START, START + source.files * PERIODS[source.period]).periods(source.period))
    for period in periods:
        path = testbed.s3.root / name / period.start.strftime(source.key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(period))
    database = f"reconcile_{name}"
    lab = Lab(testbed.postgres.create_database(database), testbed.bucket(name), name, testbed.connections(database))
    os.environ.update(lab.environment)
    _record(lab, source, periods)
    found = []
    for _ in range(rounds + 1):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, source.key, source.period, lab.uri, name],
            cwd=ROOT,
            env={**os.environ, **lab.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        found.append(json.loads(done.stdout.splitlines()[-1]))
    timed = found[1:]
    return [seconds for seconds, _, _ in timed], timed[-1][1], max(peak for _, _, peak in timed)


def _record(lab: Lab, source: Source, periods: list[Interval]) -> None:
    """Record all files as staged, without loading them."""
    from sparkify.s3 import Bucket

    with Path(os.devnull).open("w") as log, redirect_stdout(log):
        lab.run("2010-01-01", "2010-01-02", tasks=["create_tables"])
        listed = versions(Bucket(lab.bucket, "aws"), source.key, periods)
        assert len(listed) == len(periods)
        now = datetime.now(UTC).replace(tzinfo=None)
        rows = [
            ("staging_events", period.start.replace(tzinfo=None), listed[period.start], *_bounds(period), 1, 9, now)
            for period in periods
        ]
        columns = (
            "table_name", "period_start", "version", "part_start", "part_end", "objects", "size_bytes", "staged_at",
        )  # fmt: skip
        with connect("redshift", "aws") as warehouse:
            warehouse.transaction(
                lambda: warehouse.insert("operations.staged_periods", columns, rows),
                lock=["operations.staged_periods"],
            )


def _bounds(period: Interval) -> tuple[datetime, datetime]:
    return period.start.replace(tzinfo=None), period.end.replace(tzinfo=None)
