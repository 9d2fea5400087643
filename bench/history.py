"""The cost of an additional hour, on a short and on a long history.

Histories of 1, 10 and 50 days are loaded, each by one run of the DAG over its range. Then the same subsequent hours
are loaded into each of them in turn, by the DAG's own tasks, in this process. The goal: an hour on the longest history
costs at most 1.2 times as much as on the shortest.

Then as many hours of a day in the middle of each history are reprocessed, each after a change of the day's file: a
late-arriving event, and an event with another subscription, which splits a span of the users' history. The goal: on the
longest history their load tasks take at most twice as long as those of a subsequent hour.

The usual way to load the star schema (``bench/classic.sql``) is timed on the same histories. It runs last, and is
rolled back, so that its scans do not warm the cache for the others.

Only the length of the history differs: the catalogue, the listeners and the files of the hours are the same. PostgreSQL
runs without fsync and autovacuum, which would add noise.
"""

from __future__ import annotations

import os
import time
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import psycopg

from bench import days
from bench.child import peak_memory
from bench.results import Goal, ResultTable, spread
from sandbox.lab import Lab
from sparkify.sql import predicates

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from bench.testbed import Testbed

GOAL, OLD_GOAL = 1.2, 2.0
CLASSIC = Path(__file__).with_name("classic.sql").read_text()
CLASSIC_ROUNDS = 5  # fewer: it is slow, and its differences are large
TOTALS = STAR, MARTS, LOADS, TOTAL = (
    "load tasks of the star schema",
    "load tasks of the marts",
    "load tasks",
    "all tasks",
)
BASELINE = "classic loads of the star schema (baseline)"
GROUPS = {"load": STAR, "marts": MARTS}  # by the task group


@dataclass
class History:
    """A warehouse with a history.

    :param size: its length in days.
    :param lab: its database and its DAG.
    :param newest: durations of the timed hours after it, by task.
    :param old: those of the hours in its middle.
    """

    size: int
    lab: Lab
    newest: dict[str, list[float]] = field(default_factory=dict)
    old: dict[str, list[float]] = field(default_factory=dict)


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
    timed = days.timed(given.rounds)
    if len(set(given.sizes)) < 2 or min(given.sizes) < 1:
        raise ValueError(f"Invalid --sizes: expected two or more different numbers of days, got {given.sizes}.")
    with (testbed.folder / "log").open("w") as log, redirect_stdout(log):  # each task logs each statement
        store = testbed.bucket("history")
        hours = days.upload(days.options(max(given.sizes), given.users, given.songs), store)
        histories = []
        for size in sorted(given.sizes):
            name = f"days_{size}"
            lab = Lab(testbed.postgres.create_database(name), store, "history", testbed.connections(name))
            histories.append(History(size, lab))
            progress(_build(histories[-1]))
        for number, start in enumerate(timed):
            days.put(store, start, hours[start])
            for history in histories:
                run_hour(history.lab, start, history.newest if number else {})
        for number, start in enumerate(timed):
            old = {history.size: days.middle(start, history.size) for history in histories}
            for hour in {*old.values()}:
                days.change(store, hour)
            for history in histories:
                run_hour(history.lab, old[history.size], history.old if number else {})
        for start in timed[-CLASSIC_ROUNDS:]:
            for history in histories:
                history.newest.setdefault(BASELINE, []).append(run_classic(history.lab, start))
    events = sum(len(hours[start]) for start in timed[1:]) // given.rounds
    first, last = histories[0], histories[-1]
    sizes = f"{_times(last.size)} to {_times(first.size)} history"
    yield _table(
        f"{given.rounds} hours of {events:,} events on average",
        {history.size: history.newest for history in histories},
        [_flat("an hour", sizes, first.newest, last.newest)],
        [f"Peak memory of the process that runs all tasks: {peak_memory() / 1e6:,.0f} MB."],
    )
    ratio = median(last.old[LOADS]) / median(last.newest[LOADS])
    yield _table(
        f"{given.rounds} hours in the middle of the history, after a change of the day's file",
        {history.size: history.old for history in histories},
        [
            _flat("an old hour", sizes, first.old, last.old),
            Goal(f"load tasks of an old hour to those of an hour, {_times(last.size)} history:", ratio, most=OLD_GOAL),
        ],
    )


def _build(history: History) -> str:
    """Load the days of a history in one run, and vacuum the database, as autovacuum would.

    :return: row counts, database size and duration, as text.
    """
    began = time.perf_counter()
    os.environ.update(history.lab.environment)
    history.lab.run((days.END - timedelta(days=history.size)).isoformat(), days.END.isoformat())
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


def run_hour(lab: Lab, start: datetime, seconds: dict[str, list[float]]) -> None:
    """Run the tasks of the DAG for an hour; add the duration of each task, of each group of loads, and of all."""
    os.environ.update(lab.environment)
    found = dict.fromkeys(TOTALS, 0.0)
    for task in lab.dag.topological_sort():
        began = time.perf_counter()
        lab.run(start.isoformat(), (start + timedelta(hours=1)).isoformat(), tasks=[task.task_id])
        took = time.perf_counter() - began
        seconds.setdefault(task.task_id, []).append(took)
        found[TOTAL] += took
        if group := GROUPS.get(task.task_group.group_id):
            found[group] += took
            found[LOADS] += took
    for name, took in found.items():
        seconds.setdefault(name, []).append(took)


def run_classic(lab: Lab, start: datetime) -> float:
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


def _flat(what: str, sizes: str, first: dict[str, list[float]], last: dict[str, list[float]]) -> Goal:
    """Return the goal that the cost does not depend on the history."""
    return Goal(f"cost of {what}, {sizes}:", median(last[TOTAL]) / median(first[TOTAL]), most=GOAL)


def _table(
    what: str, seconds: dict[int, dict[str, list[float]]], goals: Sequence[Goal], notes: Sequence[str] = ()
) -> ResultTable:
    """Return the medians, their spread and their ratios to the shortest history.

    :param seconds: durations by days of history, and by task.
    """
    sizes = [_times(size) for size in seconds]
    rows: list[Sequence[str]] = []
    for name in seconds[min(seconds)]:
        found = [durations[name] for durations in seconds.values()]
        spreads = [spread([1000 * value for value in values], digits=0) for values in found]
        rows.append([name, *spreads, *(f"{median(values) / median(found[0]):.2f}" for values in found[1:])])
    return ResultTable(
        f"{what}, by days of history: milliseconds, median (min to max)",
        ["", *sizes, *(f"{size} / {sizes[0]}" for size in sizes[1:])],
        rows,
        goals,
        notes,
    )


def _times(size: int) -> str:
    return f"{size}x"
