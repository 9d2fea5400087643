"""A first load: from files in S3 to the checked star schema, in a database whose tables are empty.

Beside a script for DuckDB, which reads the same files and fills the same tables with the same keys and indexes, and the
code before. The tasks of the DAG run side by side, as on a scheduler, but without one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from bench import before, data
from bench.race import OTHERS, Contender, race, run
from bench.results import Goal, ResultTable, compare
from sandbox import airflow

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bench.testbed import Testbed

EMPTY = "empty"  # the database with the project's tables, empty
OURS, DUCKDB = "ours", "DuckDB script"
BASELINE = before.NAME
TABLES = ("staging_events", "staging_songs", "songplays", "users", "songs", "artists", "time")
NOTES = (
    "All: staging_events, staging_songs, songplays, users, songs, artists and time, with their keys and indexes, "
    "analyzed; every key is unique, and every play has its user, time, song and artist. Creating the empty tables is "
    "not timed.",
    "DuckDB: does not record what it has loaded, the version of a row, nor rejected rows (it fails at the first one); "
    "a second load would begin anew. It creates keys and indexes when the rows are in.",
    "Ours, and before: without the marts; also the ledger of files, and the {checks} checks of an interval's rows that "
    "read no mart.",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command-line options."""
    parser.add_argument("--events", type=int, default=1_000_000, help="events of a day (%(default)s)")
    parser.add_argument("--songs", type=int, nargs="+", default=[1_000, 15_000], help="song objects (%(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="rounds (%(default)s)")


def shrink(given: argparse.Namespace) -> None:
    """Choose sizes that are small enough for a test."""
    given.events, given.songs, given.repeat = 1_000, [50], 1


def measure(given: argparse.Namespace, testbed: Testbed, progress: Callable[[str], None]) -> Iterator[ResultTable]:
    """Yield a table for each number of songs."""
    checks, count = _checks(testbed.folder / "checks")
    tasks = data.task_ids("load_songplays", "stage", "load")
    with before.checkout(testbed.folder) as former, testbed.database(EMPTY) as uri:
        run(testbed, Contender("create tables", "task", 0, {**data.DAY, "bucket": "", "tasks": ["create_tables"]}), uri)
        for songs in given.songs:
            bucket = f"firstload-{songs}"
            options = data.options(given.events, songs)
            plays = data.put_events(testbed, bucket, options, given.events)
            data.put_songs(testbed, bucket, options)
            job = {
                **data.DAY,
                "bucket": bucket,
                "tasks": [*tasks, "data_quality"],
                "checks": str(checks),
                "side_by_side": True,
            }
            contenders = [
                Contender(OURS, "task", plays, job),
                Contender(BASELINE, "task", plays, job, checkout=former),
                Contender(DUCKDB, "duckdb_load", plays, {"bucket": bucket}, EMPTY, OTHERS),
            ]
            results = race(testbed, contenders, given.repeat, progress)
            header, rows = compare(results.values(), results[OURS], "plays")
            goals = [
                Goal(f"ours / {name}:", results[OURS].rate / results[name].rate, least=1)
                for name in (BASELINE, DUCKDB)
                if name in results
            ]
            title = f"First load of {given.events:,} events and {songs:,} songs, one object each"
            yield ResultTable(title, header, rows, goals, [note.format(checks=count) for note in NOTES])


def _checks(folder: Path) -> tuple[Path, int]:
    """Write the data quality checks of the star schema, without those that read other tables; return their number."""
    folder.mkdir()
    count = 0
    for table in TABLES:
        declared = yaml.safe_load((airflow.ROOT / "include" / "checks" / f"{table}.yaml").read_text())
        declared["checks"] = [check for check in declared["checks"] if "users_history" not in check.get("sql", "")]
        count += sum(check.get("scope") != "table" for check in declared["checks"])
        (folder / f"{table}.yaml").write_text(yaml.safe_dump(declared))
    return folder, count
