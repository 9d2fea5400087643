"""Staging: events from a file in S3 to a table in PostgreSQL.

Each contender takes one file of as many events, as the app delivers them, into a table of an empty database. A slow
one is given a slice, and is compared by rows a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from bench import data
from bench.race import OTHERS, Contender, Result, race, run
from bench.report import Goal, Section, compare
from sandbox.lab import TABLES

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bench.scene import Scene

COPY = (
    f"COPY landing ({TABLES['staging_events']}) FROM 's3://{{}}/{data.KEY}' IAM_ROLE default "
    "FORMAT AS JSON 'auto ignorecase' TIMEFORMAT 'epochmillisecs' COMPUPDATE OFF STATUPDATE OFF"
)
EMPTY = "empty"  # the database with the project's tables, empty
# What the task has COPY fill: the table without its indexes.
LANDING = "CREATE TABLE landing (LIKE staging_events INCLUDING DEFAULTS)"
OURS, TASK, LIMIT = "ours: COPY", "ours: the task stage_events", "the database's limit: prepared rows"
DLT, DLT_FAST, PANDAS, ROWS = "dlt, as it comes", "dlt, its fastest setting", "pandas", "row by row"
# Ours is to be at least so many times as fast.
FACTORS = {LIMIT: 0.6, DLT: 25, DLT_FAST: 2.5, PANDAS: 25, ROWS: 40}
MEMORY = 100e6  # bytes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what can be chosen."""
    parser.add_argument("--events", type=int, nargs="+", default=[1_000_000, 5_000_000], help="of a file (%(default)s)")
    parser.add_argument("--slice", type=int, default=20_000, help="events at most for slow baselines (%(default)s)")
    parser.add_argument("--repeat", type=int, default=5, help="rounds (%(default)s)")


def shrink(given: argparse.Namespace) -> None:
    """Choose sizes that are small enough for a test."""
    given.events, given.slice, given.repeat = [1_000], 500, 2


def measure(given: argparse.Namespace, scene: Scene, tell: Callable[[str], None]) -> Iterator[Section]:
    """Yield what was found for each size."""
    with scene.database(EMPTY) as uri:
        run(scene, Contender("create tables", "task", 0, {**data.DAY, "bucket": "", "tasks": ["create_tables"]}), uri)
        with psycopg.connect(uri) as connection:
            connection.execute(LANDING)
        for events in given.events:
            part = min(events, given.slice)
            for size in {events, part}:
                data.put_events(scene, _bucket(size), data.options(size, songs=1_000), size)
            prepared = _prepare(scene, events)
            yield _section(race(scene, list(_contenders(events, part, prepared)), given.repeat, tell))
            prepared.unlink()


def _bucket(events: int) -> str:
    return f"events-{events}"


def _prepare(scene: Scene, events: int) -> Path:
    """Return a file with the rows as PostgreSQL's own binary COPY has them."""
    path = scene.folder / "rows"
    with scene.database("prepare", EMPTY) as uri:
        run(scene, _ours(events), uri)
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


def _contenders(events: int, part: int, prepared: Path) -> Iterator[Contender]:
    """Yield who is measured.

    :param part: the events that the slow ones are given.
    """
    file: dict[str, Any] = {"key": data.KEY, "bucket": _bucket(events)}
    slice_: dict[str, Any] = {"key": data.KEY, "bucket": _bucket(part)}
    yield _ours(events)
    yield Contender(TASK, "task", events, {**file, **data.DAY, "tasks": ["stage_events"]}, EMPTY)
    yield Contender(LIMIT, "binary_copy", events, {"prepared": str(prepared), "table": "landing"}, EMPTY)
    yield Contender(DLT_FAST, "dlt_pipeline", events, {**file, "fast": True}, python=OTHERS)
    yield Contender(DLT, "dlt_pipeline", part, {**slice_, "fast": False}, python=OTHERS)
    yield Contender(PANDAS, "pandas_to_sql", part, slice_, python=OTHERS)
    yield Contender(ROWS, "row_by_row", part, slice_, EMPTY, OTHERS)


def _section(results: dict[str, Result]) -> Section:
    ours = results[OURS]
    header, rows = compare(results.values(), ours, "events")
    goals = [
        Goal(f"ours / {name}:", ours.rate / results[name].rate, least=factor)
        for name, factor in FACTORS.items()
        if name in results
    ]
    goals.append(Goal("memory of the process that runs COPY:", ours.peak / 1e6, most=MEMORY / 1e6, unit=" MB"))
    return Section(
        f"Staging {ours.contender.count:,} events from S3 into PostgreSQL",
        header,
        rows,
        goals,
        ["The first, the third and the last fill the project's table, without indexes; dlt and pandas make theirs."],
    )
