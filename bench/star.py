"""Load the star schema from staged data: with the tasks of the DAG, now and before, and with truncate and insert.

All start with empty tables and the same staged events and songs. This case favours truncate and insert, as there is no
history to reload; `make bench ARGS=history` measures an hour on top of a history. The marts, which it does not have,
are in a row of their own. Tasks run side by side, as on a scheduler, but without one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench import before, data
from bench.race import Contender, race, run
from bench.results import Goal, ResultTable, compare

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from bench.testbed import Testbed

SCRIPT = Path(__file__).with_name("classic_reload.sql")
STAGED, STAGED_BEFORE = "staged", "staged_before"
OURS, MARTS, CLASSIC = "ours: five load tasks", "ours: with the marts", "truncate and insert"
BASELINE = before.NAME
SHARE = 0.57  # goal: of the time before


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command-line options."""
    parser.add_argument("--events", type=int, default=1_000_000, help="staged rows (%(default)s)")
    parser.add_argument("--songs", type=int, default=100_000, help="staged rows (%(default)s)")
    parser.add_argument("--repeat", type=int, default=5, help="rounds (%(default)s)")


def shrink(given: argparse.Namespace) -> None:
    """Choose sizes that are small enough for a test."""
    given.events, given.songs, given.repeat = 1_000, 50, 2


def measure(given: argparse.Namespace, testbed: Testbed, progress: Callable[[str], None]) -> Iterator[ResultTable]:
    """Yield the result table."""
    bucket = "star"
    options = data.options(given.events, given.songs)
    plays = data.put_events(testbed, bucket, options, given.events)
    data.put_songs(testbed, bucket, options)
    job = {**data.DAY, "bucket": bucket, "side_by_side": True}
    with (
        before.checkout(testbed.folder) as former,
        testbed.database(STAGED) as staged,
        testbed.database(STAGED_BEFORE) as staged_before,
    ):
        stage = {**job, "tasks": ["stage_events", "stage_songs"]}
        run(testbed, Contender("stage", "task", given.events, stage), staged)
        run(testbed, Contender("stage as before", "task", given.events, stage, checkout=former), staged_before)
        loads, marts = data.task_ids("load_songplays", "load"), data.task_ids("load_events", "marts")
        contenders = [
            Contender(OURS, "task", plays, {**job, "tasks": loads}, STAGED),
            Contender(MARTS, "task", plays, {**job, "tasks": [*loads, *marts]}, STAGED),
            Contender(BASELINE, "task", plays, {**job, "tasks": loads}, STAGED_BEFORE, checkout=former),
            Contender(CLASSIC, "sql_script", plays, {"script": str(SCRIPT)}, STAGED),
        ]
        results = race(testbed, contenders, given.repeat, progress)
    header, rows = compare(results.values(), results[OURS], "plays")
    goal = Goal("ours, as a share of the time before:", results[BASELINE].rate / results[OURS].rate, most=SHARE)
    yield ResultTable(f"Star schema from {given.events:,} events and {given.songs:,} songs", header, rows, [goal])
