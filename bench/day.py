"""The largest day that one hourly run loads within ten minutes: the run of the last hour, which stages the whole day.

Days of several sizes, each one file, are loaded by all tasks of the run, one after the other, without a scheduler: into
empty tables, and then again, as after the 23 other hours of the day: all rows are replaced. The largest day within the
limit is interpolated between the sizes, or extrapolated from the last two.

The baseline loads the same file with COPY, and inserts the star schema with SELECTs into empty tables: without marts,
checks, versions of rows and the ledger, and only once.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from itertools import pairwise
from threading import Event, Thread
from typing import TYPE_CHECKING, NamedTuple

import psutil

from bench import data, star
from bench.race import Contender, run
from bench.results import ResultTable
from sandbox.lab import TABLES

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from bench.race import Measurement
    from bench.testbed import Testbed

OURS, AGAIN, CLASSIC = "ours: first load", "ours: again", "COPY and INSERT (baseline)"
EMPTY, DAY = "day_empty", "day_round"
HOUR = {"start": "2018-11-01T23:00:00+00:00", "end": data.DAY["end"]}
GROUPS = ("stage", "load", "marts", "publish")
COPY_EVENTS = (
    f"COPY staging_events ({TABLES['staging_events']}) FROM 's3://{{}}/{data.KEY}' IAM_ROLE default "
    "FORMAT AS JSON 'auto ignorecase' TIMEFORMAT 'epochmillisecs'"
)
COPY_SONGS = (
    f"COPY staging_songs ({TABLES['staging_songs']}) FROM 's3://{{}}/song_data/' IAM_ROLE default FORMAT AS JSON 'auto'"
)
LIMIT = 600.0
# Events that are generated; a larger day has each of them several times, of different users and sessions.
GENERATED = 500_000
POLL_INTERVAL = 0.5  # seconds between samples of PostgreSQL's memory


class Load(NamedTuple):
    """A load of a day.

    :param size: bytes of the file.
    :param memory: the peak of PostgreSQL's processes, in bytes.
    """

    name: str
    events: int
    size: int
    measured: Measurement
    memory: int

    def row(self) -> list[str]:
        """Return the row of the result table."""
        seconds = self.measured.seconds
        return [
            self.name,
            f"{self.events:,}",
            f"{self.size / 1e9:.2f}",
            f"{seconds:,.0f}",
            f"{seconds / self.events * 1e6:.0f}",
            f"{self.measured.cpu:.0f}",
            f"{self.measured.peak / 1e6:,.0f}",
            f"{self.memory / 1e6:,.0f}",
        ]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command-line options."""
    sizes = [250_000, 500_000, 1_000_000]
    parser.add_argument("--events", type=int, nargs="+", default=sizes, help="events of each day (%(default)s)")
    parser.add_argument("--songs", type=int, default=1000, help="songs of the catalogue (%(default)s)")


def shrink(given: argparse.Namespace) -> None:
    """Choose sizes that are small enough for a test."""
    given.events, given.songs = [1_000, 2_000], 50


def measure(given: argparse.Namespace, testbed: Testbed, progress: Callable[[str], None]) -> Iterator[ResultTable]:
    """Yield the result table.

    :raises ValueError: if there are not two sizes, in order.
    """
    if len(given.events) < 2 or sorted({*given.events}) != given.events:
        raise ValueError(f"Invalid --events: expected two or more numbers in order, got {given.events}.")
    loads: list[Load] = []
    with testbed.database(EMPTY) as uri:
        run(testbed, Contender("create tables", "task", 0, {**HOUR, "bucket": "", "tasks": ["create_tables"]}), uri)
        for events in given.events:
            for load in _loads(testbed, events, given.songs):
                progress(f"{load.name}, {events:,} events: {load.measured.seconds:.1f} s")
                loads.append(load)
    yield ResultTable(
        "One hourly run that loads a whole day",
        [
            "",
            "events",
            "GB of JSON",
            "seconds",
            "seconds per million",
            "CPU-s",
            "peak MB",
            "PostgreSQL's peak MB",
        ],
        [load.row() for load in loads],
        notes=[
            "CPU-s and peak MB are those of the process that runs the tasks.",
            *(largest([load for load in loads if load.name == name]) for name in (OURS, AGAIN)),
        ],
    )


def _loads(testbed: Testbed, events: int, songs: int) -> Iterator[Load]:
    """Load a day with each contender."""
    bucket = f"day-{events}"
    copies = -(-events // GENERATED)
    given = data.options(events // copies, songs)
    plays = data.put_events(testbed, bucket, given, events // copies, copies)
    data.put_songs(testbed, bucket, given)
    path = testbed.s3.root / bucket / data.KEY
    size, events = path.stat().st_size, events // copies * copies
    job: Mapping[str, Any] = {**HOUR, "bucket": bucket, "tasks": data.task_ids("stage_events", *GROUPS)}
    with testbed.database(DAY, EMPTY) as uri:
        for name in (OURS, AGAIN):
            with _memory(testbed.postgres.pid) as memory:
                measured = run(testbed, Contender(name, "task", events, job), uri)
            yield Load(name, events, size, measured, max(memory))
    with testbed.database(DAY, EMPTY) as uri, _memory(testbed.postgres.pid) as memory:
        steps = [
            Contender(CLASSIC, "copy_command", events, {"command": COPY_EVENTS.format(bucket)}),
            Contender(CLASSIC, "copy_command", songs, {"command": COPY_SONGS.format(bucket)}),
            Contender(CLASSIC, "sql_script", plays, {"script": str(star.SCRIPT)}),
        ]
        measurements = [run(testbed, step, uri) for step in steps]
    seconds, cpu = (sum(getattr(item, name) for item in measurements) for name in ("seconds", "cpu"))
    peak = max(measurements, key=lambda item: item.peak)
    yield Load(CLASSIC, events, size, peak._replace(seconds=seconds, cpu=cpu), max(memory))
    path.unlink()


@contextmanager
def _memory(server: int) -> Iterator[list[int]]:
    """Sample the memory of a server's processes, in bytes, while the context runs; shared memory counts once.

    :param server: its process id.
    """
    samples: list[int] = []
    done = Event()

    def poll() -> None:
        while True:
            found = 0
            process = psutil.Process(server)
            for member in [process, *process.children()]:
                with suppress(psutil.NoSuchProcess):
                    info = member.memory_full_info()
                    found += getattr(info, "pss", info.uss)
            samples.append(found)
            if done.wait(POLL_INTERVAL):
                return

    poller = Thread(target=poll)
    poller.start()
    try:
        yield samples
    finally:
        done.set()
        poller.join()


def largest(loads: Sequence[Load]) -> str:
    """Return the largest day within the limit, as text: on the line through the two sizes around it."""
    seconds = [load.measured.seconds for load in loads]
    first, second = next(
        (pair for pair in pairwise(loads) if pair[1].measured.seconds >= LIMIT), (loads[-2], loads[-1])
    )
    slope = (second.measured.seconds - first.measured.seconds) / (second.events - first.events)
    if slope <= 0:
        return f"{loads[0].name}: the days are too small to find the largest one within {LIMIT:.0f} s."
    events = first.events + (LIMIT - first.measured.seconds) / slope
    how = "between" if min(seconds) <= LIMIT <= max(seconds) else "extrapolated from"
    size = events * second.size / second.events
    return (
        f"{loads[0].name}: {events / 1e6:.1f} million events, {size / 1e9:.1f} GB, within {LIMIT:.0f} s "
        f"({how} {first.events:,} and {second.events:,} events)."
    )
