"""The history of users (a slowly changing dimension of type 2), on a short and on a long history.

Histories of 1 and 50 days are loaded. Then the same subsequent hours are staged in each, and hours of a day in the
middle, after a late-arriving event and a changed subscription. After each hour three ways update the history:

- the task of the DAG, which recomputes the spans around the changed moments,
- the usual full rebuild with window functions over all events (``bench/classic_history.sql``),
- a dbt snapshot of the table ``users`` (``bench/dbt``), https://docs.getdbt.com/docs/build/snapshots: it keeps what it
  sees at each run. Its first run, before these hours, is not timed.

The rebuild is exact, and the spans of the others are compared with its spans.
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
from bench.race import OTHERS, Contender, ContenderError, run
from bench.results import Goal, ResultTable, spread
from sandbox.lab import Lab

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from obstore.store import S3Store

    from bench.testbed import Testbed

OURS, REBUILD, DBT = "ours: task load_users_history", "full rebuild with window functions", "dbt snapshot of users"
SCRIPT = Path(__file__).with_name("classic_history.sql").read_text()
SNAPSHOT = Contender(DBT, "dbt_snapshot", 1, python=OTHERS)
GOAL = 1.2
NEWEST, OLD = "after the history", "in its middle"

# The spans of each way: its table, and its columns of time.
SPANS = {
    OURS: ("users_history", "valid_from, valid_to"),
    REBUILD: ("rebuilt_history", "valid_from, valid_to"),
    DBT: ("users_snapshot", "dbt_valid_from, dbt_valid_to"),
}


@dataclass
class Warehouse:
    """A warehouse with a history.

    :param size: its length in days.
    :param lab: its database and its DAG.
    :param seconds: the durations, by kind of hour and by way.
    """

    size: int
    lab: Lab
    seconds: dict[str, dict[str, list[float]]] = field(default_factory=lambda: {NEWEST: {}, OLD: {}})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command-line options."""
    parser.add_argument("--sizes", type=int, nargs=2, default=[1, 50], help="days of history (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="timed hours (%(default)s)")
    parser.add_argument("--users", type=int, default=4000, help="users of about eight events a day (%(default)s)")


def shrink(given: argparse.Namespace) -> None:
    """Choose sizes that are small enough for a test."""
    given.sizes, given.rounds, given.users = [1, 15], 1, 50


def measure(given: argparse.Namespace, testbed: Testbed, progress: Callable[[str], None]) -> Iterator[ResultTable]:
    """Yield the result tables.

    :raises ValueError: if the sizes or the rounds are invalid.
    :raises ContenderError: if our spans differ from those of the full rebuild.
    """
    timed = days.timed(given.rounds)
    if not 1 <= given.sizes[0] < given.sizes[1]:
        raise ValueError(f"Invalid --sizes: expected two different numbers of days in order, got {given.sizes}.")
    if not OTHERS.exists():
        progress(f"Skipped, {OTHERS.parents[1].name} is missing (`make bench` installs it): {DBT}")
    with (testbed.folder / "log").open("w") as log, redirect_stdout(log):  # each task logs each statement
        store = testbed.bucket("scd2")
        hours = days.upload(days.options(given.sizes[1], given.users, songs=1), store)
        warehouses = [_build(testbed, store, size) for size in given.sizes]
        for kind in (NEWEST, OLD):
            # The first hour is not timed.
            for hour in timed if kind == NEWEST else timed[1:]:
                if kind == NEWEST:
                    days.put(store, hour, hours[hour])
                for warehouse in warehouses:
                    start = hour if kind == NEWEST else days.middle(hour, warehouse.size)
                    if kind == OLD:
                        days.change(store, start)
                    found = warehouse.seconds[kind] if hour != timed[0] else {}
                    for name, seconds in _hour(testbed, warehouse.lab, start).items():
                        found.setdefault(name, []).append(seconds)
            progress(f"{given.rounds} hours {kind}: done")
            yield _table(kind, warehouses)


def _build(testbed: Testbed, store: S3Store, size: int) -> Warehouse:
    """Load a history, and vacuum the database, as autovacuum would."""
    name = f"scd2_{size}"
    lab = Lab(testbed.postgres.create_database(name), store, "scd2", testbed.connections(name))
    os.environ.update(lab.environment)
    tasks = ["create_tables", "stage_events", "load_users", "load_users_history"]
    lab.run((days.END - timedelta(days=size)).isoformat(), days.END.isoformat(), tasks=tasks)
    with psycopg.connect(lab.uri, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE rebuilt_history AS SELECT user_id, valid_from, valid_to, is_current, first_name, last_name, "
            "gender, level FROM users_history LIMIT 0"
        )
        connection.execute("ALTER TABLE rebuilt_history ADD PRIMARY KEY (user_id, valid_from)")
        connection.execute("VACUUM ANALYZE")
    if OTHERS.exists():
        run(testbed, SNAPSHOT, lab.uri)
    return Warehouse(size, lab)


def _hour(testbed: Testbed, lab: Lab, start: datetime) -> dict[str, float]:
    """Stage an hour, and update the history in each way; return the seconds of each."""
    os.environ.update(lab.environment)
    end = start + timedelta(hours=1)
    lab.run(start.isoformat(), end.isoformat(), tasks=["stage_events", "load_users"])
    began = time.perf_counter()
    lab.run(start.isoformat(), end.isoformat(), tasks=["load_users_history"])
    seconds = {OURS: time.perf_counter() - began}
    with psycopg.connect(lab.uri) as connection:
        began = time.perf_counter()
        connection.execute(SCRIPT.encode())
        connection.commit()
        seconds[REBUILD] = time.perf_counter() - began
    if OTHERS.exists():
        seconds[DBT] = run(testbed, SNAPSHOT, lab.uri).seconds
    return seconds


def _table(kind: str, warehouses: Sequence[Warehouse]) -> ResultTable:
    """Return the medians, their spread, their ratios, and how many spans are correct."""
    first, last = warehouses
    exact = _spans(last.lab, REBUILD)
    rows: list[Sequence[str]] = []
    ratios = {}
    for name, long in last.seconds[kind].items():
        short = first.seconds[kind][name]
        ratios[name] = median(long) / median(short)
        spans = _spans(last.lab, name)
        rows.append(
            [
                name,
                *(spread([1000 * value for value in values], digits=0) for values in (short, long)),
                f"{ratios[name]:.2f}",
                f"{len(spans):,}",
                f"{len(spans & exact):,}",
            ]
        )
        if name == OURS and spans != exact:
            raise ContenderError(
                f"{name}: expected the {len(exact):,} spans of the rebuild, {len(spans ^ exact)} differ."
            )
    sizes = [f"{warehouse.size}x" for warehouse in warehouses]
    return ResultTable(
        f"The history of users, {len(long)} hours {kind}, by days of history: milliseconds, median (min to max)",
        ["", *sizes, f"{sizes[1]} / {sizes[0]}", f"spans, {sizes[1]}", "correct"],
        rows,
        [Goal(f"cost of an hour {kind}, {sizes[1]} to {sizes[0]} history:", ratios[OURS], most=GOAL)],
    )


def _spans(lab: Lab, name: str) -> set[tuple[object, ...]]:
    table, times = SPANS[name]
    return set(lab.query(f"SELECT user_id, {times}, first_name, last_name, gender, level FROM {table}"))
