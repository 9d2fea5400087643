"""The input of the contenders: generated data, in buckets."""

from __future__ import annotations

import re
import time
from itertools import islice
from typing import TYPE_CHECKING

from sandbox import generate
from sandbox.lab import Lab

if TYPE_CHECKING:
    from bench.testbed import Testbed

KEY = "log_data/2018/11/2018-11-01-events.json"
IDS = re.compile(rb'("sessionId":|"userId":")(\d+)')
# The day of that file, as a run's range.
DAY = {"start": "2018-11-01T00:00:00+00:00", "end": "2018-11-02T00:00:00+00:00"}


def options(events: int, songs: int) -> generate.Options:
    """Return options that generate at least the given number of events in a day."""
    return generate.Options(users=events // 5 + 20, songs=songs, days=1, growth=0)


def task_ids(first: str, *groups: str) -> list[str]:
    """Return the tasks of the DAG that loads the warehouse in some task groups.

    :param first: the one whose rows a contender returns.
    """
    tasks = Lab.dag_of("sparkify_warehouse").tasks
    ids = [task.task_id for task in tasks if task.task_group and task.task_group.group_id in groups]
    return sorted(ids, key=lambda task_id: task_id != first)


def put_events(testbed: Testbed, bucket: str, given: generate.Options, events: int, copies: int = 1) -> int:
    """Write a file with the given number of events, as :data:`KEY`; return how many of them are plays.

    :param events: generated events.
    :param copies: how often each is written, with another user and session; larger files take less memory this way.
    :raises ValueError: if the options generate fewer.
    """
    path = testbed.folder / "events.json"
    count = plays = 0
    with path.open("wb") as file:
        for _, line in islice(generate.events(given), events):
            lines = [line] if copies == 1 else [_copy(line, number, copies) for number in range(copies)]
            file.write(b"\n" * bool(count) + b"\n".join(lines))
            count += 1
            plays += copies * (generate.PLAY in line)
    if count < events:
        raise ValueError(f"Too few events from {given}: expected {events:,}, got {count:,}.")
    testbed.bucket(bucket).put(KEY, path)
    path.unlink()
    return plays


def _copy(line: bytes, number: int, copies: int) -> bytes:
    """Return one of the copies of an event, with a user and a session that no other copy has."""
    return IDS.sub(lambda found: b"%b%d" % (found[1], int(found[2]) * copies + number), line)


def put_songs(testbed: Testbed, bucket: str, given: generate.Options) -> None:
    """Write the catalogue, one object per song, and wait until the server lists all objects."""
    store = testbed.bucket(bucket)
    # Directly into the server's folder: through its API it takes minutes.
    for key, document in generate.songs(given):
        path = testbed.s3.root / bucket / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(document)
    while sum(len(page) for page in store.list("song_data")) < given.songs:
        time.sleep(0.5)
