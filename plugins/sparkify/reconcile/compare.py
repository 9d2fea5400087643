"""Compare the files of a period with its staged parts. Pure."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Literal, NamedTuple

from sparkify.interval import Interval, difference, union
from sparkify.staging.periods import EMPTY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sparkify.staging.periods import StagedPart

State = Literal["changed", "missing", "vanished"]
# The version of the files of a period that has not ended: they still change, and the run that closes it loads them all.
STILL_CHANGING = ""


class Finding(NamedTuple):
    """A period whose files differ from what is staged.

    :param start: of the period.
    :param state: ``changed`` (its files have changed since it was staged, or it was staged and not loaded), ``missing``
        (never staged, or a part of it), ``vanished`` (staged, but without files now).
    :param version: of the files now; :data:`STILL_CHANGING` if the period has not ended.
    :param load: the interval to load; None if there is nothing to load.
    """

    start: datetime
    state: State
    version: str
    load: Interval | None = None


def compare(
    period: Interval, version: str | None, parts: Sequence[StagedPart], *, due: datetime, fill: bool
) -> Finding | None:
    """Return how a period differs; None if it is up to date, or left to the schedule.

    :param version: of its files; None if it has none.
    :param parts: its staged parts.
    :param due: what is before must be loaded.
    :param fill: whether what was never staged is loaded.
    """
    if version is None:
        staged = any(part.version != EMPTY for part in parts)
        return Finding(period.start, "vanished", EMPTY) if staged else None
    # The usual case, without allocations: there may be many periods.
    if len(parts) == 1 and parts[0].version == version and parts[0].interval == period and not parts[0].loading_run:
        return None
    ended = period.end <= due
    if not ended and due <= period.start:
        return None
    gaps: tuple[Interval, ...] = (period if ended else Interval(period.start, due),)
    # The run that closes an open period loads what has changed since. Hours that no run has loaded are missing.
    covering = [part for part in parts if ended or not part.loading_run]
    gaps = reduce(difference, union(part.interval for part in covering), gaps)
    if not ended:
        hours = Interval(gaps[0].start, gaps[-1].end) if gaps else None
        return Finding(period.start, "missing", STILL_CHANGING, hours) if hours and fill else None
    if gaps and fill:
        return Finding(period.start, "missing", version, period)
    if any(part.version != version or part.loading_run for part in parts):
        return Finding(period.start, "changed", version, period)
    return None
