"""The star schema from what is staged: by the tasks of the DAG, and by the classic truncate-and-insert of everything.

Both begin with empty tables and the same staged events and songs. It is the case that suits the classic way best:
there is no history to load again. What an hour costs on top of one is `make bench ARGS=history`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench import data
from bench.race import Contender, race, run
from bench.report import Section, compare

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from bench.scene import Scene

SCRIPT = Path(__file__).with_name("classic_reload.sql")
STAGED = "staged"
OURS, CLASSIC = "ours: the five load tasks", "truncate and insert"
LOADS = ["load_songplays", "load_songs", "load_artists", "load_users", "load_time"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what can be chosen."""
    parser.add_argument("--events", type=int, default=1_000_000, help="staged (%(default)s)")
    parser.add_argument("--songs", type=int, default=100_000, help="staged (%(default)s)")
    parser.add_argument("--repeat", type=int, default=5, help="rounds (%(default)s)")


def shrink(given: argparse.Namespace) -> None:
    """Choose sizes that are small enough for a test."""
    given.events, given.songs, given.repeat = 1_000, 50, 2


def measure(given: argparse.Namespace, scene: Scene, tell: Callable[[str], None]) -> Iterator[Section]:
    """Yield what was found."""
    bucket = "star"
    options = data.options(given.events, given.songs)
    plays = data.put_events(scene, bucket, options, given.events)
    data.put_songs(scene, bucket, options)
    job = {**data.DAY, "bucket": bucket}
    with scene.database(STAGED) as uri:
        stage = {**job, "tasks": ["stage_events", "stage_songs"]}
        run(scene, Contender("stage", "task", given.events, stage), uri)
        contenders = [
            Contender(OURS, "task", plays, {**job, "tasks": LOADS}, STAGED),
            Contender(CLASSIC, "sql_script", plays, {"script": str(SCRIPT)}, STAGED),
        ]
        results = race(scene, contenders, given.repeat, tell)
    header, rows = compare(results.values(), results[OURS], "plays")
    yield Section(f"Star schema from {given.events:,} events and {given.songs:,} songs", header, rows)
