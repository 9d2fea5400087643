"""Invalid events on purpose: ``make break`` makes the feeder write them, to show an alert on data quality."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sandbox.generate import PLAY, SECOND
from sparkify.interval import moment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOUR = timedelta(hours=1)
# Number of invalid events.
EVENTS = 3
# What is invalid. No user: the next event of a user would be needed to correct their level in the warehouse.
INVALID = {"level": "gold", "userId": ""}


def copier(hour: datetime) -> Callable[[int, bytes], bytes | None]:
    """Return a function that returns an invalid copy of each of the first plays of an hour, and None for other events.

    It must get all events in order: as milliseconds since 1970 and a line of JSON.
    """
    begin, end = (int(bound.timestamp()) * SECOND for bound in (hour, hour + HOUR))
    copied = 0

    def copy(now: int, line: bytes) -> bytes | None:
        nonlocal copied
        if copied == EVENTS or not begin <= now < end or PLAY not in line:
            return None
        # A session of its own: a second play of the same session and item would be a duplicate.
        event = json.loads(line) | {"sessionId": begin // SECOND, "itemInSession": copied} | INVALID
        copied += 1
        return json.dumps(event, separators=(",", ":")).encode()

    return copy


def read(path: Path) -> datetime | None:
    """Return the start of the hour whose events a file requests to break; None if there is no such file."""
    with suppress(FileNotFoundError, ValueError):
        return moment(path.read_text())
    return None
