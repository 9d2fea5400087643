"""The cost of an additional hour, on a short and on a long history.

Histories of 1, 10 and 50 days are loaded, each by one run of the DAG over its range. Then the same subsequent hours
are loaded into each of them in turn, by the DAG's own tasks, in this process. The goal: an hour on the longest history
costs at most 1.2 times as much as on the shortest.

The usual way to load such a schema (``bench/classic.sql``) is timed on the same histories. It runs last, and is rolled
back, so that its scans do not warm the cache for the others.

Only the length of the history differs: the catalogue, the listeners and the files of the hours are the same. PostgreSQL
runs without fsync and autovacuum, which would add noise.
"""

from __future__ import annotations

import os
import time
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import psycopg

from bench.child import peak_memory
from bench.results import Goal, ResultTable, spread
from sandbox import generate
from sandbox.lab import Lab
from sparkify.sql import predicates

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence

    from obstore.store import S3Store

    from bench.testbed import Testbed

GOAL = 1.2
END = date(2018, 12, 19)  # the day after the histories, a Wednesday: their last day is an average one
CLASSIC = Path(__file__).with_name("classic.sql").read_text()
CLASSIC_ROUNDS = 5  # fewer: it is slow, and its differences are large
# The range of the timed hours, after one untimed hour: busy ones, without the one that closes the day.
FIRST_HOUR, LAST_HOUR = 9, 22
TOTAL, LOADS, BASELINE = "all tasks", "load tasks", "classic loads (baseline)"


@dataclass
class History:
    """A warehouse with a history.

    :param size: its length in days.
    :param lab: its database and its DAG.
    :param seconds: durations of the timed hours, by task.
    """

    size: int
    lab: Lab
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def note(self, name: str, seconds: float) -> None:
        self.seconds.setdefault(name, []).append(seconds)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command-line options."""
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 10, 50], help="days of history (%(default)s)")
    parser.add_argument("--rounds", type=int, default=9, help="timed hours (%(default)s)")
    parser.add_argument("--users", type=int, default=8000, help="users of about eight events a day (%(default)s)")
    parser.add_argument("--songs", type=int, default=1000, help="songs of the catalogue (%(default)s)")


def shrink(given: argparse.Namespace) -> None:
    """Choose sizes that are small enough for a test."""
    given.sizes, given.rounds, given.users, given.songs = [1, 2, 3], 2, 50, 50


def measure(given: argparse.Namespace, testbed: Testbed, progress: Callable[[str], None]) -> Iterator[ResultTable]:
    """Yield the result table.

    :raises ValueError: if the sizes or the rounds are invalid.
    """
    most = LAST_HOUR - FIRST_HOUR
    if not 1 <= given.rounds <= most:
        raise ValueError(f"Invalid --rounds: expected 1 to {most}, got {given.rounds}.")
    if len(set(given.sizes)) < 2 or min(given.sizes) < 1:
        raise ValueError(f"Invalid --sizes: expected two or more different numbers of days, got {given.sizes}.")
    days = max(given.sizes)
    options = generate.Options(
        users=given.users, songs=given.songs, start=END - timedelta(days=days), days=days + 1, growth=0
    )
    with (testbed.folder / "log").open("w") as log, redirect_stdout(log):  # each task logs each statement
        store = testbed.bucket("history")
        hours = _upload(options, store)
        end = options.begin + timedelta(days=options.days - 1)
        histories = []
        for size in sorted(given.sizes):
            name = f"days_{size}"
            lab = Lab(testbed.postgres.create_database(name), store, "history", testbed.connections(name))
            histories.append(History(size, lab))
            progress(_build(histories[-1], end))
        timed = [end + timedelta(hours=FIRST_HOUR + number) for number in range(given.rounds + 1)]
        for number, start in enumerate(timed):
            _put(store, start, hours[start])
            for history in histories:
                _run_hour(history, start, history.note if number else lambda name, seconds: None)
        for start in timed[-CLASSIC_ROUNDS:]:
            for history in histories:
                history.note(BASELINE, _run_classic(history.lab, start))
    events = sum(len(hours[start]) for start in timed[1:]) // given.rounds
    yield _table(histories, f"{given.rounds} hours of {events:,} events on average")


def _upload(options: generate.Options, store: S3Store) -> dict[datetime, list[bytes]]:
    """Write the catalogue and the days of the history to the bucket; return the hours of the day after it."""
    for key, document in generate.songs(options):
        store.put(key, document)
    day: list[bytes] = []
    after: dict[datetime, list[bytes]] = {}
    for begin, lines in generate.hours(options):
        day += lines
        if begin >= options.begin + timedelta(days=options.days - 1):
            after[begin] = lines
        elif begin.hour == 23:
            _put(store, begin, day)
            day = []
    return after


def _put(store: S3Store, moment: datetime, lines: list[bytes]) -> None:
    """Write the log file of the day of a moment."""
    store.put(f"log_data/{moment:%Y/%m/%Y-%m-%d}-events.json", b"\n".join(lines))


def _build(history: History, end: datetime) -> str:
    """Load the days before ``end`` in one run, and vacuum the database, as autovacuum would.

    :return: row counts, database size and duration, as text.
    """
    began = time.perf_counter()
    os.environ.update(history.lab.environment)
    history.lab.run((end - timedelta(days=history.size)).isoformat(), end.isoformat())
    loaded = time.perf_counter() - began
    with psycopg.connect(history.lab.uri, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        server = connection.info.parameter_status("server_version")
    counts = history.lab.counts()
    size = history.lab.one("SELECT pg_database_size(current_database())")
    return (
        f"{_times(history.size):>4}: {counts['staging_events']:>9,} events, {counts['songplays']:>9,} plays, "
        f"{counts['users']:>6,} users, {counts['songs']:,} songs, {size / 1e6:,.0f} MB on PostgreSQL {server}, "
        f"loaded in {loaded:.0f} s"
    )


def _run_hour(history: History, start: datetime, note: Callable[[str, float], None]) -> None:
    """Run the tasks of the DAG for an hour, and record the duration of each task and of all."""
    os.environ.update(history.lab.environment)
    total = loads = 0.0
    for task in history.lab.dag.topological_sort():
        began = time.perf_counter()
        history.lab.run(start.isoformat(), (start + timedelta(hours=1)).isoformat(), tasks=[task.task_id])
        seconds = time.perf_counter() - began
        note(task.task_id, seconds)
        total += seconds
        loads += seconds if task.task_id.startswith("load_") else 0
    note(LOADS, loads)
    note(TOTAL, total)


def _run_classic(lab: Lab, start: datetime) -> float:
    """Return the seconds that the baseline takes for a staged hour, as if it were not loaded yet."""
    end = start + timedelta(hours=1)
    this_hour = f"interval_time >= {predicates.literal(start)} AND interval_time < {predicates.literal(end)}"
    with psycopg.connect(lab.uri) as connection:
        for table in ("songplays", "time"):
            connection.execute(f"DELETE FROM {table} WHERE {this_hour}")
        began = time.perf_counter()
        connection.execute(CLASSIC.encode())
        seconds = time.perf_counter() - began
        connection.rollback()
    return seconds


def _table(histories: list[History], what: str) -> ResultTable:
    """Return the medians, their spread and their ratios to the shortest history."""
    first = histories[0]
    sizes = [_times(history.size) for history in histories]
    rows: list[Sequence[str]] = []
    for name in first.seconds:
        medians = [median(history.seconds[name]) for history in histories]
        spreads = [spread([1000 * value for value in history.seconds[name]], digits=0) for history in histories]
        rows.append([name, *spreads, *(f"{value / medians[0]:.2f}" for value in medians[1:])])
    ratio = median(histories[-1].seconds[TOTAL]) / median(first.seconds[TOTAL])
    return ResultTable(
        f"{what}, by days of history: milliseconds, median (min to max)",
        ["", *sizes, *(f"{size} / {sizes[0]}" for size in sizes[1:])],
        rows,
        [Goal(f"cost of an hour, {sizes[-1]} to {sizes[0]} history:", ratio, most=GOAL)],
        [f"Peak memory of the process that runs all tasks: {peak_memory() / 1e6:,.0f} MB."],
    )


def _times(size: int) -> str:
    return f"{size}x"
