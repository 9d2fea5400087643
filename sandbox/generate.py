"""Generate sample data: event logs and song metadata in the layout of the public Sparkify data.

Users return in a weekly rhythm and move from page to page, as in eventsim (https://github.com/Interana/eventsim).
The data is a pure function of the options: the same options give the same bytes, and more days extend the same days.

    python -m sandbox.generate --out FOLDER [--users N] [--songs N] [--days N] [--start DATE]
"""

from __future__ import annotations

import argparse
import math
import sys
from bisect import bisect
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from heapq import heapify, heappush, heapreplace
from itertools import accumulate, chain, groupby
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from sandbox.sample_entities import Music, Person, person, spell
from sparkify.interval import LATEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SECOND = 1000  # all times are milliseconds since 1970, UTC, as in the logs
HOUR = 3600 * SECOND
DAY = 24 * HOUR

# Relative activity by hour of the day (UTC; the users are Americans), and by day of the week from Monday on.
HOURS = (4, 4, 3, 2, 2, 3, 5, 5, 4, 9, 10, 10, 9, 9, 11, 12, 16, 14, 15, 10, 9, 6, 4, 4)
WEEKDAYS = (12, 10, 11, 11, 13, 8, 7)
WEEK = [day * hour for day in WEEKDAYS for hour in HOURS]
BUSY = [0.0, *accumulate(weight * len(WEEK) / sum(WEEK) for weight in WEEK)]  # mean: one busy hour an hour
MONDAY = 96 * HOUR  # 1970-01-05, the first Monday

# The weights of the next page, by page; a session begins and ends with "". Other pages lead to Home.
SIGNED_IN = {
    "": {"NextSong": 56, "Home": 40, "Help": 1, "About": 1, "Settings": 2},
    "Home": {"NextSong": 60, "": 28, "Home": 4, "Settings": 4, "Logout": 2, "Help": 1, "About": 1},
    "Help": {"NextSong": 80, "Home": 10, "": 10},
    "About": {"NextSong": 40, "Home": 40, "": 20},
    "Settings": {"NextSong": 40, "Home": 15, "Save Settings": 20, "Settings": 12, "Help": 8, "": 5},
    "Error": {"Home": 60, "NextSong": 30, "": 10},
    "Upgrade": {"Submit Upgrade": 35, "NextSong": 45, "Home": 15, "": 5},
    "Downgrade": {"Submit Downgrade": 18, "NextSong": 50, "Home": 27, "": 5},
}
SONG = {"Home": 25, "Settings": 7, "Logout": 6, "Help": 5, "Error": 3, "About": 2}
WALKS: dict[str, dict[str, dict[str, int]]] = {
    "free": {**SIGNED_IN, "NextSong": {"NextSong": 770, "": 160, "Upgrade": 14, **SONG}},
    "paid": {**SIGNED_IN, "NextSong": {"NextSong": 912, "": 30, "Downgrade": 8, **SONG}},
    "out": {
        "": {"Home": 74, "Login": 20, "Help": 3, "About": 3},
        "Home": {"Login": 46, "": 40, "Home": 10, "Help": 2, "About": 2},
        "Help": {"Login": 50, "Home": 20, "": 30},
        "About": {"Login": 40, "Home": 30, "": 30},
    },
}
# The same, as each page's next pages and their cumulative probabilities, for bisect.
STEPS = {
    state: {page: (list(to), [n / sum(to.values()) for n in accumulate(to.values())][:-1]) for page, to in walk.items()}
    for state, walk in WALKS.items()
}
HOME: tuple[list[str], list[float]] = (["Home"], [])
SUBMITS = ("Login", "Logout", "Save Settings", "Submit Upgrade", "Submit Downgrade")
PAGES = {
    **dict.fromkeys(("About", "Downgrade", "Help", "Home", "Settings", "Upgrade"), ("GET", 200)),
    **dict.fromkeys(SUBMITS, ("PUT", 307)),
    "NextSong": ("PUT", 200),
    "Error": ("GET", 404),
}
REQUESTS = {page: f'"{method}","page":"{page}"' for page, (method, _) in PAGES.items()}
PLAY = b'"page":"NextSong"'  # no title contains it: its quotes would be escaped
STATUSES = {page: f',"status":{status},"ts":' for page, (_, status) in PAGES.items()}


HELP = {
    "users": "users on the first day",
    "songs": "songs in the catalogue",
    "days": "days of events",
    "seed": "another seed gives other data",
}


def max_days(start: date) -> int:
    """Return the number of days from a day on that the warehouse accepts."""
    return (LATEST.date() - start).days


@dataclass(frozen=True)
class Options:
    """What to generate.

    :param seed: another seed gives other data.
    :param users: users on the first day; each causes about eight events a day.
    :param songs: songs in the catalogue, one file each.
    :param days: days of events.
    :param start: the first day (UTC).
    :param catalogue_share: the share of plays, 0 to 1, of songs in the catalogue, which have metadata.
    :param growth: new users a day, as a share of ``users``.
    :raises ValueError: if a value is out of range.
    """

    seed: int = 42
    users: int = 1000
    songs: int = 1000
    days: int = 2
    start: date = date(2018, 11, 1)
    catalogue_share: float = 0.3
    growth: float = 0.01

    def __post_init__(self) -> None:
        ranges = {
            "seed": (0, 2**63 - 1),
            "users": (1, 10_000_000),
            "songs": (1, 10_000_000),
            "start": (date(1971, 1, 1), LATEST.date() - timedelta(days=1)),
            "days": (1, max_days(self.start)),
            "catalogue_share": (0, 1),
            "growth": (0, 10),
        }
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"Invalid {name}: expected {low} to {high}, got {value}.")

    @property
    def begin(self) -> datetime:
        """The first moment (UTC)."""
        return datetime(self.start.year, self.start.month, self.start.day, tzinfo=UTC)

    @property
    def end(self) -> int:
        """The first moment after the last day, in milliseconds since 1970."""
        return _milliseconds(self.begin) + self.days * DAY


@dataclass(frozen=True)
class GeneratedFiles:
    """The result of :func:`write`; ``bytes`` is the total size of the files."""

    files: int
    events: int
    plays: int
    songs: int
    bytes: int


@dataclass(slots=True, eq=False)
class _AppUser:
    """A user; ``pace`` is the mean number of busy hours between two sessions."""

    number: int
    person: Person
    registration: int
    paid: bool
    pace: float
    signed_in: bool = True

    def returns(self, now: int, random: Random) -> int:
        """Return the start of the next session, at least half an hour after ``now``."""
        return _later(now + HOUR // 2, _wait(random, self.pace))


def _wait(random: Random, mean: float) -> float:
    """Return an exponentially distributed time; ``random.expovariate`` may change between Python versions."""
    return -math.log(1 - random.random()) * mean


def _later(now: int, busy_hours: float) -> int:
    """Return the time that many busy hours after ``now``: a busy hour is short by day and long by night."""
    weeks, time = divmod((now - MONDAY) / HOUR, len(WEEK))
    hour = int(time)
    busy = BUSY[hour] + (time - hour) * (BUSY[hour + 1] - BUSY[hour]) + busy_hours
    more, busy = divmod(busy, BUSY[-1])
    hour = bisect(BUSY, busy) - 1
    time = hour + (busy - BUSY[hour]) / (BUSY[hour + 1] - BUSY[hour])
    return max(now, MONDAY + int(((weeks + more) * len(WEEK) + time) * HOUR))  # rounding must not go back in time


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * SECOND


def events(options: Options) -> Iterator[tuple[int, bytes]]:
    """Yield every event in order of time, as milliseconds since 1970 and a line of JSON without newline.

    The first days do not depend on the number of days. Memory grows with the users only, so a live feeder may ask for
    any number of days.
    """
    random = Random(options.seed)
    music = Music(options.seed, options.songs)
    start, end = _milliseconds(options.begin), options.end

    def new_user(number: int, registration: int, paid_share: float) -> _AppUser:
        paid = random.random() < paid_share
        pace = (25 if paid else 50) * (0.4 + 1.2 * random.random())
        return _AppUser(number, person(random), registration, paid, pace)

    def signs_up(now: int) -> int:
        return _later(now, _wait(random, 24 / max(options.users * options.growth, 1e-9)))

    # The next event of each user's session, or (between sessions) their next session. The numbers are unique, so the
    # heap never compares the later elements.
    queue: list[tuple[int, int, _AppUser, bytes, Iterator[tuple[int, bytes]] | None]] = []
    for number in range(1, options.users + 1):
        user = new_user(number, start - HOUR - int(random.random() * 60 * DAY), paid_share=0.22)
        queue.append((user.returns(start - HOUR // 2, random), number, user, b"", None))
    heapify(queue)
    joins = signs_up(start) if options.growth else end
    users, sessions = options.users, 0
    while True:
        now, number, user, line, session = queue[0]
        if joins <= now and joins < end:
            users += 1
            first = joins + SECOND * int(5 + 55 * random.random())
            heappush(queue, (first, users, new_user(users, joins, paid_share=0.05), b"", None))
            joins = signs_up(joins)
            continue
        if now >= end:
            return
        if session is None:
            sessions += 1
            session = _session(user, sessions, now, options.catalogue_share, music, random)
        else:
            yield now, line
        if step := next(session, None):
            heapreplace(queue, (step[0], number, user, step[1], session))
        else:
            heapreplace(queue, (user.returns(now, random), number, user, b"", None))


def _session(
    user: _AppUser, number: int, now: int, share: float, music: Music, random: Random
) -> Iterator[tuple[int, bytes]]:
    """Yield the events of a session that begins at ``now``."""
    if random.random() < 0.04:
        user.signed_in = False  # the cookie has expired
    state, head, name, place, since, tail = _fragments(user, number)
    page, item, music_ends = "", 0, 0
    while True:
        before = page
        followers, chances = STEPS[state].get(page, HOME)
        page = followers[bisect(chances, random.random())]
        if not page:
            return
        artist, length, song = "null", "null", "null"
        if page in SUBMITS and item:
            now += SECOND
        elif item and not page == before == "NextSong":
            now += int(_wait(random, mean=60)) * SECOND
        if page == "NextSong":
            now = max(now, music_ends)  # other pages do not stop the music
            artist, length, song, lasts = music.play(music.choose(random, share))
            music_ends = now + lasts
        line = f'{{"artist":{artist}{head}{item}{name}{length}{place}{REQUESTS[page]}{since}{song}'
        yield now, f"{line}{STATUSES[page]}{now}{tail}".encode()
        item += 1
        if page in SUBMITS:  # the event itself still shows the state before
            user.signed_in = page != "Logout"
            user.paid = page == "Submit Upgrade" or (user.paid and page != "Submit Downgrade")
            music_ends = music_ends if user.signed_in else 0
            state, head, name, place, since, tail = _fragments(user, number)


def _fragments(user: _AppUser, session: int) -> tuple[str, str, str, str, str, str]:
    """Return the user's state, and the parts of an event that are constant within a session."""
    level = "paid" if user.paid else "free"
    if user.signed_in:
        state, auth, number, registration = level, "Logged In", str(user.number), f"{user.registration}.0"
        first, last, gender, location, agent = map(spell, (*user.person,))
    else:
        state, auth, number, registration = "out", "Logged Out", "", "null"
        first = last = gender = location = agent = "null"
    return (
        state,
        f',"auth":"{auth}","firstName":{first},"gender":{gender},"itemInSession":',
        f',"lastName":{last},"length":',
        f',"level":"{level}","location":{location},"method":',
        f',"registration":{registration},"sessionId":{session},"song":',
        f',"userAgent":{agent},"userId":"{number}"}}',
    )


def hours(options: Options, since: datetime | None = None) -> Iterator[tuple[datetime, list[bytes]]]:
    """Yield every hour, also empty ones, as its start (UTC) and its lines.

    :param since: skip the hours that begin earlier; generating them takes time nevertheless.
    """
    begin, lines = options.begin, list[bytes]()
    for now, line in chain(events(options), [(options.end, b"")]):
        while now >= _milliseconds(begin) + HOUR:
            if since is None or begin >= since:
                yield begin, lines
            begin, lines = begin + timedelta(hours=1), []
        lines.append(line)


def songs(options: Options) -> Iterator[tuple[str, bytes]]:
    """Yield the catalogue: each song's key, ``song_data/A/B/C/TRABC….json``, and its JSON object."""
    music = Music(options.seed, options.songs)
    for number in range(options.songs):
        track = music.track(number)
        yield f"song_data/{'/'.join(track.track_id[2:5])}/{track.track_id}.json", track.document()


def write(options: Options, folder: Path, progress: Callable[[Path], None] | None = None) -> GeneratedFiles:
    """Write songs and events below ``folder``; files of the same name are replaced, all others stay.

    Each day's file, ``log_data/YYYY/MM/YYYY-MM-DD-events.json``, has one event a line and, as in the public
    data, no newline at its end. A day without any event has no file.

    :param folder: created if it is missing; it corresponds to the bucket.
    :param progress: called with the path of each finished file.
    :return: the numbers of files, events, plays and songs, and their size.
    :raises OSError: if a file cannot be written.
    """
    files = count = plays = size = 0

    def finished(path: Path, length: int) -> None:
        nonlocal files, size
        files, size = files + 1, size + length
        if progress:
            progress(path)

    for key, document in songs(options):
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        finished(path, path.write_bytes(document))
    for day, group in groupby(events(options), key=lambda event: event[0] // DAY):
        date_ = datetime.fromtimestamp(day * DAY // SECOND, UTC)
        path = folder / f"log_data/{date_:%Y/%m/%Y-%m-%d}-events.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            newline = b""
            for _, line in group:
                file.write(newline + line)
                newline = b"\n"
                count += 1
                plays += PLAY in line
            length = file.tell()
        finished(path, length)
    return GeneratedFiles(files, count, plays, options.songs, size)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date: expected YYYY-MM-DD") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code.

    :param arguments: those after the program's name, by default the process's own.
    """
    parser = argparse.ArgumentParser(prog="python -m sandbox.generate", description="Generate event logs and songs.")
    parser.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="the folder to write to")
    parser.add_argument("--start", type=_day, default=Options.start, help="the first day (%(default)s)")
    for name, what in HELP.items():
        default = getattr(Options, name)
        parser.add_argument(f"--{name}", type=int, default=default, help=f"{what} (%(default)s)")
    given = vars(parser.parse_args(arguments))
    out = given.pop("out")
    try:
        options = Options(**given)
    except ValueError as error:
        parser.error(str(error))
    try:
        done = write(options, out)
    except OSError as error:
        parser.exit(1, f"Cannot write: {error}. Choose another --out.\n")
    end = options.begin + timedelta(days=options.days)
    print(
        f"Wrote {done.events:,} events, {done.plays:,} of them plays, and {done.songs:,} songs below {out}: "
        f"{done.files:,} files, {done.bytes / 1e6:,.1f} MB.\n"
        f"Next: make run DATA={out} FROM={options.begin:%Y-%m-%d} TO={end:%Y-%m-%d}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
