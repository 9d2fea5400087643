"""The feeder: an app that writes today's events to the bucket in real time, and a new song from time to time.

The content of the bucket at a moment is a pure function of the options and that moment. So a restarted feeder continues
where the last one ended: it writes the missing events of the days between, without lost or duplicate events.

    python -m sandbox.feeder --endpoint URL --bucket NAME --start DATE --progress FILE --fault FILE [--queue URL]
"""

from __future__ import annotations

import argparse
import json
import os
import select
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import xxhash
from obstore.exceptions import BaseError

from sandbox import faults, generate, servers
from sandbox.generate import DAY, SECOND
from sandbox.notifications import Notifier
from sparkify.interval import LONGEST, moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from obstore.store import ObjectStore

# Songs that have metadata on the first day, and how often another one gets it.
FIRST_SONGS = 500
SONG_EVERY = timedelta(minutes=20)
# Seconds between two writes of today's file, aligned to the clock: the run of an hour finds its complete file.
EVERY = 30
AT_ONCE = 16
# How long before the first start the events begin, and the object that stores their first day.
HISTORY = timedelta(days=7)
FIRST_DAY = "world.json"


def options(start: date) -> generate.Options:
    """Return the generator's options for a feeder: about 300 events an hour.

    :param start: the first day (UTC); another first day gives other events.
    """
    # Up to the last day that the warehouse accepts, and 13 months of new songs. Slow growth: a restarted feeder
    # generates all past events again.
    return generate.Options(users=1000, songs=10_000, days=generate.max_days(start), start=start, growth=0.002)


def first_day(store: ObjectStore) -> date:
    """Return the first day of the events (UTC), which the bucket stores; a week ago if it is missing or too old."""
    now = datetime.now(UTC)
    with suppress(FileNotFoundError, ValueError, TypeError, KeyError):
        stored = moment(json.loads(bytes(store.get(FIRST_DAY).bytes()))["start"])
        if timedelta() <= now - stored <= LONGEST:  # one run can load it
            return stored.date()
    start = (now - HISTORY).date()
    store.put(FIRST_DAY, json.dumps({"start": start.isoformat()}).encode())
    return start


@dataclass(frozen=True)
class FeederProgress:
    """The progress of a feeder.

    :param at: the moment up to which the bucket is complete, ISO 8601, UTC.
    :param events: the events of that day so far.
    :param latest: the time of the latest event, ISO 8601, UTC; None if there was none since the first day.
    :param songs: songs with metadata.
    :param error: why the bucket could not be written; None if it could.
    :param broken: the hour with invalid events, ISO 8601, UTC; None if there is none. See :mod:`sandbox.faults`.
    """

    at: str
    events: int
    latest: str | None
    songs: int
    error: str | None = None
    broken: str | None = None

    def save(self, path: Path) -> None:
        """Write it to a file, atomically."""
        replace_file(path, json.dumps(asdict(self)))


def replace_file(path: Path, text: str) -> None:
    """Replace a file atomically."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_text(text)
    new.replace(path)


class Feeder:
    """Writes the events and songs up to a moment to a bucket.

    :param options: what to generate.
    :param store: the bucket; existing objects with the same content are not written again.
    :param broken: the start of an hour that gets invalid events, too; None for none.
    :param announce: called with each event log that was written, its key and its content.
    """

    def __init__(
        self,
        options: generate.Options,
        store: ObjectStore,
        broken: datetime | None = None,
        announce: Callable[[str, bytes], None] | None = None,
    ) -> None:
        self._options = options
        self._store = store
        self._present = {item["path"]: (item["e_tag"] or "").strip('"') for page in store.list() for item in page}
        self._events = generate.events(options)
        self._ahead = next(self._events)
        self._broken = broken
        self._announce = announce
        self._invalid_copy = faults.copier(broken) if broken else None
        self._day = bytearray()
        self._date: int | None = None
        self._count = 0
        self._latest: int | None = None
        self._songs = generate.songs(options)
        self._coming: list[tuple[str, bytes]] = []
        self._published = 0

    def advance(self, now: datetime) -> FeederProgress:
        """Write all events before ``now``; complete objects stay unchanged.

        After an error the next call continues where this one ended.

        :param now: aware; a moment before that of an earlier call changes nothing.
        :raises obstore.exceptions.BaseError: if the bucket is not writable.
        """
        self._publish(now)
        until = int(now.timestamp() * SECOND)
        while self._ahead[0] < until:
            moment, line = self._ahead
            if self._date is not None and moment // DAY != self._date:
                self._write_day()
            if moment // DAY != self._date:
                self._date, self._day, self._count = moment // DAY, bytearray(), 0
            if self._day:
                self._day += b"\n"  # between two lines; as in the public data, there is none at the end
            self._day += line
            self._count += 1
            if self._invalid_copy and (invalid := self._invalid_copy(moment, line)):
                self._day += b"\n" + invalid
                self._count += 1
            self._latest = moment
            self._ahead = next(self._events)
        if self._date is not None:
            self._write_day()
        today = self._count if self._date == until // DAY else 0
        latest = None if self._latest is None else _iso(datetime.fromtimestamp(self._latest / SECOND, UTC))
        return FeederProgress(
            _iso(now), today, latest, self._published, broken=_iso(self._broken) if self._broken else None
        )

    def _write_day(self) -> None:
        assert self._date is not None
        day = datetime.fromtimestamp(self._date * DAY // SECOND, UTC)
        key = f"log_data/{day:%Y/%m/%Y-%m-%d}-events.json"
        digest = xxhash.xxh128(self._day).hexdigest()
        if self._present.get(key) != digest:
            self._store.put(key, bytes(self._day))
            self._present[key] = digest
            if self._announce:
                self._announce(key, bytes(self._day))

    def _publish(self, now: datetime) -> None:
        """Write the songs that have metadata so far."""
        due = FIRST_SONGS + int((now - self._options.begin) / SONG_EVERY)
        self._coming += islice(self._songs, max(0, due - self._published - len(self._coming)))
        new = [(key, document) for key, document in self._coming if key not in self._present]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for _ in pool.map(lambda song: self._store.put(*song), new):
                pass
        self._published += len(self._coming)
        self._coming = []


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def main(arguments: list[str] | None = None) -> int:
    """Write to the bucket until standard input is closed: the parent process has exited."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.feeder", description=__doc__)
    parser.add_argument("--endpoint", required=True, help="URL of the S3 server")
    parser.add_argument("--bucket", required=True)
    parser.add_argument("--start", required=True, type=date.fromisoformat, help="first day of the events (UTC)")
    parser.add_argument("--progress", required=True, type=Path, help="a file for the feeder's progress")
    parser.add_argument("--fault", required=True, type=Path, help="a file that requests invalid events: sandbox.faults")
    parser.add_argument("--queue", help="URL of an SQS queue, to announce event logs in as S3 does")
    given = parser.parse_args(arguments)
    store = servers.open_bucket(given.endpoint, given.bucket)
    announce = Notifier(given.bucket, given.queue) if given.queue else None
    feeder, broken = Feeder(options(given.start), store, announce=announce), None
    progress = FeederProgress(_iso(datetime.now(UTC)), 0, None, 0)
    while True:
        now = datetime.now(UTC)
        try:
            if (request := faults.read(given.fault)) != broken:
                # From the first day on: it may be an earlier day's file that changes.
                feeder, broken = Feeder(options(given.start), store, request, announce), request
            progress = feeder.advance(now)
        except (BaseError, OSError) as error:
            progress = replace(progress, error=str(error).splitlines()[0])
        progress.save(given.progress)
        status = progress.error or f"{progress.events:,} events today, {progress.songs:,} songs"
        print(f"{_iso(now)} {status}", flush=True)
        following = now.timestamp() // EVERY + 1
        # By wall-clock time: after a sleep of the machine the file is written before a run can read it.
        while (wait := following * EVERY - time.time()) > 0 and faults.read(given.fault) == broken:
            if select.select([sys.stdin], [], [], min(wait, 1))[0]:
                return 0


if __name__ == "__main__":
    sys.exit(main())
