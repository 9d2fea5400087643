"""Histories of events, one file a day, and the hours after them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sandbox import generate

if TYPE_CHECKING:
    from obstore.store import S3Store

END = datetime(2018, 12, 19, tzinfo=UTC)  # of the histories, a Wednesday: their last day is an average one
# The range of the timed hours, after one untimed hour: busy ones, without the one that closes the day.
FIRST_HOUR, LAST_HOUR = 9, 22


def options(days: int, users: int, songs: int) -> generate.Options:
    """Return options that generate the longest history and the day after it, with the same users on each day."""
    start = END.date() - timedelta(days=days)
    return generate.Options(users=users, songs=songs, start=start, days=days + 1, growth=0)


def timed(rounds: int) -> list[datetime]:
    """Return the hours after a history: an untimed one, and one per round.

    :raises ValueError: if there are not as many.
    """
    most = LAST_HOUR - FIRST_HOUR
    if not 1 <= rounds <= most:
        raise ValueError(f"Invalid --rounds: expected 1 to {most}, got {rounds}.")
    return [END + timedelta(hours=FIRST_HOUR + number) for number in range(rounds + 1)]


def upload(given: generate.Options, store: S3Store) -> dict[datetime, list[bytes]]:
    """Write the catalogue and the days of the history to the bucket; return the hours of the day after it."""
    for key, document in generate.songs(given):
        store.put(key, document)
    day: list[bytes] = []
    after: dict[datetime, list[bytes]] = {}
    for begin, lines in generate.hours(given):
        day += lines
        if begin >= END:
            after[begin] = lines
        elif begin.hour == 23:
            put(store, begin, day)
            day = []
    return after


def put(store: S3Store, moment: datetime, lines: list[bytes]) -> None:
    """Write the log file of the day of a moment."""
    store.put(_key(moment), b"\n".join(lines))


def middle(hour: datetime, days: int) -> datetime:
    """Return the same hour of a day in the middle of a history, on the same day of the week as its last day.

    :param hour: an hour of the day after the history.
    :param days: the length of the history.
    """
    return hour - timedelta(days=1, weeks=round((days - 1) / 14))


def change(store: S3Store, hour: datetime) -> None:
    """Change an hour in its day's file: a user has another subscription for one event, and a late event arrives."""
    lines = bytes(store.get(_key(hour)).bytes()).split(b"\n")
    begin = int(hour.timestamp() * 1000)
    end = begin + 3_600_000
    chosen, event = next(
        (number, event)
        for number, event in enumerate(map(json.loads, lines))
        if event["userId"] and begin <= event["ts"] < end
    )
    late = {**event, "itemInSession": event["itemInSession"] + 10_000, "ts": end - 1}
    flipped = {**event, "level": "paid" if event["level"] == "free" else "free"}
    lines[chosen] = json.dumps(flipped).encode()
    store.put(_key(hour), b"\n".join([*lines, json.dumps(late).encode()]))


def _key(moment: datetime) -> str:
    return f"log_data/{moment:%Y/%m/%Y-%m-%d}-events.json"
