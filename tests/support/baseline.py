"""A history of three days whose warehouse is stored as a dump, and the files of that moment.

Tests of upgrades start from the dump and load on with today's code: see tests/integration/schema/baseline.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from sandbox import servers
from tests.support.data import event, song

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sandbox.lab import Lab

DUMPS = sorted((Path(__file__).parents[1] / "integration" / "schema" / "baseline").glob("*.sql"))
# The name of the bucket in the dumps.
BUCKET = "baseline"
# The allowed number of rejected rows: a file has one.
MAX_ERRORS = 5
DAYS = ("2018-11-01", "2018-11-02", "2018-11-03", "2018-11-04", "2018-11-05")

Run = tuple[str, str]


def load(lab: Lab, steps: Iterable[list[Run]]) -> None:
    """Put the files of each step, and load its runs.

    :param steps: of :func:`history` or :func:`later`.
    """
    for runs in steps:
        for start, end in runs:
            lab.run(start, end, max_errors=MAX_ERRORS, accept_vanished=True)


def put_files(steps: Iterable[list[Run]]) -> None:
    """Put the files of all steps."""
    for _ in steps:
        pass


def restore(lab: Lab, path: Path) -> None:
    """Restore a dump into the empty database of a lab, and put the files of that moment.

    :param path: the file with the dump.
    """
    script = path.read_text(encoding="utf-8").replace(f"s3://{BUCKET}/", f"s3://{lab.bucket}/")
    with psycopg.connect(lab.uri, autocommit=True) as connection:
        connection.execute(script.encode())
    put_files(history(lab))


def dump(lab: Lab) -> str:
    """Return the database of a lab as SQL, without what varies between machines."""
    program = servers.psql().with_name("pg_dump")
    options = ["--no-owner", "--no-privileges", "--inserts", "--rows-per-insert=100"]
    script = subprocess.run([program, *options, lab.uri], check=True, capture_output=True, text=True).stdout
    # Commands of psql (backslash), and comments.
    lines = [line for line in script.splitlines() if line and not line.startswith(("\\", "--"))]
    return "\n".join(lines).replace(f"s3://{lab.bucket}/", f"s3://{BUCKET}/") + "\n"


def history(lab: Lab) -> Iterator[list[Run]]:
    """Put the files of the first three days step by step; yield the runs of each step.

    The runs are hours, whole days and a rerun. The files have duplicates, strays, an event that is rejected, and late,
    changed, deleted and invalid songs.
    """
    stray = _play(0, 3, user=7, item=90, at="2018-11-02T03:00:00")
    rejected = {**_play(0, 5, user=3, item=91), "ts": 10**15}
    lab.put_events(DAYS[0], [*_plays(0, 24), _play(0, 4, user=4), stray, rejected, *_pages(0)])
    for number in range(3):
        _put_song(lab, number)
    yield [("2018-11-01T04:00", "2018-11-01T05:00"), ("2018-11-01T05:00", "2018-11-01T06:00")]
    yield [(DAYS[0], DAYS[1])]
    lab.put_events(DAYS[1], [*_plays(1, 24), *_pages(1)])
    _put_song(lab, 3)  # late: its plays are loaded
    _put_song(lab, 1, artist_name="Desree", year=2020)
    lab.store.delete("song_data/A/A/A/2.json")
    lab.put("song_data/A/A/A/invalid.json", json.dumps(song("SO4", title="Title 4", year="in spring")))
    yield [("2018-11-02T06:00", "2018-11-02T07:00"), (DAYS[1], DAYS[2]), ("2018-11-02T06:00", "2018-11-02T07:00")]
    lab.put_events(DAYS[2], _plays(2, 9))
    yield [("2018-11-03T07:00", "2018-11-03T08:00"), ("2018-11-03T00:00", "2018-11-03T07:00")]


def later(lab: Lab) -> Iterator[list[Run]]:
    """Put the files of the following days; yield the runs of each step."""
    yield [("2018-11-03T08:00", "2018-11-03T09:00")]
    stray = _play(2, 3, user=6, item=90, at="2018-11-01T03:00:00")
    lab.put_events(DAYS[2], [*_plays(2, 24), stray, *_pages(2)])
    lab.put("song_data/A/A/A/invalid.json", json.dumps(song("SO4", title="Title 4")))  # corrected
    _put_song(lab, 0, title="Title 2")
    _put_song(lab, 5)
    yield [("2018-11-03T09:00", "2018-11-03T10:00"), (DAYS[2], DAYS[3])]
    lab.put_events(DAYS[3], [*_plays(3, 24), _play(3, 5, user=5), *_pages(3)])
    yield [("2018-11-04T10:00", "2018-11-04T11:00"), (DAYS[3], DAYS[4])]


def _plays(day: int, hours: int) -> list[dict[str, Any]]:
    return [_play(day, hour, user=hour % 5) for hour in range(hours)]


def _play(day: int, hour: int, *, user: int, item: int = 0, at: str = "") -> dict[str, Any]:
    """Return a play; the same arguments give the same one."""
    return event(
        at or f"{DAYS[day]}T{hour:02}:10:00.{hour:03}000",
        100 * day + hour,
        item,
        userId=str(user),
        firstName=f"First {user}",
        level="paid" if (day + user) % 3 == 0 else "free",
        song=f"Title {hour % 7}",
        artist="Des'ree",
    )


def _pages(day: int) -> list[dict[str, Any]]:
    """Return events that are not plays, of a known user and of nobody."""
    return [
        event(f"{DAYS[day]}T12:30:00", 900 + day, 0, page="Home", userId="", level="free"),
        event(f"{DAYS[day]}T13:30:00", 900 + day, 1, page="Upgrade", userId="2", firstName="First 2", level="paid"),
    ]


def _put_song(lab: Lab, number: int, **fields: Any) -> None:
    values = {"title": f"Title {number}", "artist_id": f"AR{number % 2}", "year": 2000 + number, **fields}
    lab.put_song(str(number), song(f"SO{number}", **values))
