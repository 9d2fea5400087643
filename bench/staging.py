"""Staging: events from a file in S3 to a table in PostgreSQL.

Each contender loads one file of events, as the app delivers them, into a table of an empty database. Slow contenders
get a slice, and their throughput is compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from bench import before, data
from bench.race import OTHERS, Contender, ContenderResult, race, run
from bench.results import Goal, ResultTable, compare
from sandbox.lab import TABLES

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bench.testbed import Testbed

COPY = (
    f"COPY landing ({TABLES['staging_events']}) FROM 's3://{{}}/{data.KEY}' IAM_ROLE default "
    "FORMAT AS JSON 'auto ignorecase' TIMEFORMAT 'epochmillisecs' COMPUPDATE OFF STATUPDATE OFF"
)
EMPTY = "empty"  # the database with the project's tables, empty
# The target of COPY: like the task's temporary table, without indexes.
LANDING = "CREATE TABLE landing (LIKE staging_events INCLUDING DEFAULTS)"
OURS, TASK, LIMIT = "ours: COPY", "ours: task stage_events", "upper bound: binary COPY of prepared rows"
BASELINE = f"{before.NAME}, task stage_events"
DLT, DLT_FAST, PANDAS, ROWS = "dlt, default settings", "dlt, fastest settings", "pandas", "row by row"
# Goals: minimum ratio of our throughput to each contender's.
FACTORS = {LIMIT: 0.6, DLT: 25, DLT_FAST: 2.5, PANDAS: 25, ROWS: 40}
TASK_OVER_COPY = 2.0  # goal: maximum
MEMORY = 25e6  # goal: maximum of what COPY adds to its process, in bytes, whatever the size of the file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command-line options."""
    parser.add_argument(
        "--events", type=int, nargs="+", default=[1_000_000, 5_000_000], help="events per file (%(default)s)"
    )
    parser.add_argument("--slice", type=int, default=20_000, help="maximum for slow baselines (%(default)s)")
    parser.add_argument("--repeat", type=int, default=5, help="rounds (%(default)s)")


def shrink(given: argparse.Namespace) -> None:
    """Choose sizes that are small enough for a test."""
    given.events, given.slice, given.repeat = [1_000], 500, 2


def measure(given: argparse.Namespace, testbed: Testbed, progress: Callable[[str], None]) -> Iterator[ResultTable]:
    """Yield a result table for each size."""
    with before.checkout(testbed.folder) as former, testbed.database(EMPTY) as uri:
        run(testbed, Contender("create tables", "task", 0, {**data.DAY, "bucket": "", "tasks": ["create_tables"]}), uri)
        with psycopg.connect(uri) as connection:
            connection.execute(LANDING)
        for events in given.events:
            part = min(events, given.slice)
            for size in {events, part}:
                data.put_events(testbed, _bucket(size), data.options(size, songs=1_000), size)
            prepared = _prepare(testbed, events)
            yield _table(race(testbed, list(_contenders(events, part, prepared, former)), given.repeat, progress))
            prepared.unlink()


def _bucket(events: int) -> str:
    return f"events-{events}"


def _prepare(testbed: Testbed, events: int) -> Path:
    """Return a file with the rows in PostgreSQL's binary COPY format."""
    path = testbed.folder / "rows"
    with testbed.database("prepare", EMPTY) as uri:
        run(testbed, _ours(events), uri)
        with (
            psycopg.connect(uri) as connection,
            connection.cursor() as cursor,
            cursor.copy("COPY landing TO STDOUT (FORMAT binary)") as source,
            path.open("wb") as file,
        ):
            file.writelines(source)
    return path


def _ours(events: int) -> Contender:
    job = {"command": COPY.format(_bucket(events))}
    return Contender(OURS, "copy_command", events, job, EMPTY)


def _contenders(events: int, part: int, prepared: Path, former: Path) -> Iterator[Contender]:
    """Yield the contenders.

    :param part: the number of events for slow contenders.
    :param former: the checkout of the code before.
    """
    file: dict[str, Any] = {"key": data.KEY, "bucket": _bucket(events)}
    slice_: dict[str, Any] = {"key": data.KEY, "bucket": _bucket(part)}
    yield _ours(events)
    task = {**file, **data.DAY, "tasks": ["stage_events"]}
    yield Contender(TASK, "task", events, task)
    yield Contender(BASELINE, "task", events, task, checkout=former)
    yield Contender(LIMIT, "binary_copy", events, {"prepared": str(prepared), "table": "landing"}, EMPTY)
    yield Contender(DLT_FAST, "dlt_pipeline", events, {**file, "fast": True}, python=OTHERS)
    yield Contender(DLT, "dlt_pipeline", part, {**slice_, "fast": False}, python=OTHERS)
    yield Contender(PANDAS, "pandas_to_sql", part, slice_, python=OTHERS)
    yield Contender(ROWS, "row_by_row", part, slice_, EMPTY, OTHERS)


def _table(results: dict[str, ContenderResult]) -> ResultTable:
    ours = results[OURS]
    header, rows = compare(results.values(), ours, "events")
    goals = [
        Goal(f"ours / {name}:", ours.rate / results[name].rate, least=factor)
        for name, factor in FACTORS.items()
        if name in results
    ]
    goals.append(Goal("task stage_events / its COPY:", ours.rate / results[TASK].rate, most=TASK_OVER_COPY))
    goals.append(Goal("memory that COPY adds to its process:", ours.growth / 1e6, most=MEMORY / 1e6, unit=" MB"))
    return ResultTable(
        f"Staging {ours.contender.count:,} events from S3 into PostgreSQL",
        header,
        rows,
        goals,
        [
            "COPY, the upper bound and row by row fill the project's table, without indexes; dlt and pandas create "
            "their own tables."
        ],
    )
