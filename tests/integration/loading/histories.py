"""Histories of runs that need the guards of the load strategies, most of them found as the shortest of many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.loading.world import AGGREGATES, CHAIN, HISTORY, Play, Reading, Run

if TYPE_CHECKING:
    from collections.abc import Sequence


def on(at: int, slot: int | None = None, *, number: int = 0, mode: str | None = "on") -> Reading:
    """Return a reading of device 0; it is delivered at its own time by default."""
    return Reading(0, number, at, at if slot is None else slot, mode, 20)


def off(at: int, slot: int | None = None, *, number: int = 0) -> Reading:
    """Return a reading with another mode."""
    return on(at, slot, number=number, mode="off")


def play(tables: Sequence[str], *runs: Run, order: Sequence[int] | None = None) -> Play:
    """Return a play; by default each run is complete before the next one begins."""
    one_after_the_other = [number for number in range(len(runs)) for _ in range(1 + len(tables))]
    return Play(runs, tuple(order or one_after_the_other))


def run(start: int, end: int, *rows: Reading, rebuilds: int = -1) -> Run:
    """Return a run over [start, end)."""
    return Run(start, end, rows, rebuilds)


# Of spans. A run stages its rows, then loads the history.
SPANS = {
    "hours in reverse": play(HISTORY, run(4, 5, off(4)), run(3, 4, on(3)), run(0, 3, off(0))),
    "a level that changes to unknown and back": play(
        HISTORY, run(0, 1, on(0)), run(1, 2, on(1, mode=None)), run(2, 3, on(2))
    ),
    "two changes, the later one withdrawn": play(
        HISTORY, run(0, 6, on(0), off(2), on(4)), run(4, 5), run(2, 3), run(2, 3, off(2)), run(4, 5, on(4))
    ),
    "a withdrawn first event": play(HISTORY, run(0, 6, on(0), off(3)), run(0, 1)),
    "an older event that splits the last span": play(HISTORY, run(0, 6, on(0), on(5)), run(2, 3, off(2))),
    "two changes far apart in one run": play(
        HISTORY, run(0, 6, on(0), off(2), on(4)), run(0, 6, on(0), off(1), off(2), on(4), off(5))
    ),
    "a later reading at the same time": play(HISTORY, run(0, 1, off(1, 0, number=2)), run(1, 4, on(1, number=2))),
    "an earlier reading at the same time": play(
        HISTORY, run(0, 1, off(0, number=2)), run(0, 2, on(0)), run(1, 2, off(1))
    ),
    "the same reading of another interval": play(HISTORY, run(0, 3, on(0, 1)), run(1, 3, on(0, 2)), run(2, 4)),
    "a contradiction without effect": play(
        HISTORY, run(2, 4, on(1, 2), off(3), on(3, number=1)), run(3, 4, on(3, number=1))
    ),
    "a contradiction of two intervals, the newer one withdrawn": play(
        HISTORY, run(1, 3, off(2, 1)), run(2, 3, on(2, number=1)), run(2, 3)
    ),
    "a contradiction of two intervals, the older one withdrawn": play(
        HISTORY, run(0, 4, on(2, 0, number=1), off(2, 1)), run(0, 1)
    ),
    "a contradiction within an interval": play(HISTORY, run(0, 4, on(2), off(3), on(3, number=1), on(3, number=2))),
    "a first event without attributes": play(HISTORY, run(0, 1, Reading(0, 0, 0, 0, None, None))),
    "a reading whose time is corrected": play(HISTORY, run(3, 4, off(4, 3)), run(0, 4, off(1, 3))),
    "an event between withdrawn and loaded": play(
        HISTORY, run(0, 6, off(0), on(2), on(3)), run(2, 3), run(1, 2, on(1, mode=None)), order=(0, 0, 1, 2, 2, 1)
    ),
    "a span that agrees with a withdrawn one before": play(
        HISTORY,
        run(0, 3, on(4, 0), on(2, 1, number=2)),
        run(2, 3, off(0, 2)),
        run(2, 3),
        run(1, 3),
        order=(0, 0, 1, 1, 2, 3, 2, 3),
    ),
    "a span whose event is withdrawn after one before it": play(
        HISTORY, run(1, 2, on(3, 1)), run(0, 1, on(2, 0, number=2), off(3, 0)), run(1, 2), order=(0, 0, 1, 2, 1, 2)
    ),
    "a newer reading that is not loaded yet": play(
        HISTORY,
        run(0, 6, on(0), off(2), off(3)),
        run(2, 3, on(2, number=1)),
        run(1, 2, on(1, mode=None)),
        order=(0, 0, 1, 2, 2, 1),
    ),
    "a contradiction that is not loaded yet": play(
        HISTORY,
        run(3, 4, on(0, 3, number=1)),
        run(3, 4),
        run(0, 1, off(0, number=1), off(3, 0)),
        run(1, 3, off(3, 1, number=1)),
        run(1, 4),
        order=(0, 0, 1, 2, 2, 3, 1, 4, 4, 3),
    ),
    "a contradiction that is withdrawn before it is loaded": play(
        HISTORY,
        run(0, 2, on(2, 1)),
        run(2, 3, on(1, 2, number=2)),
        run(0, 1, off(2, 0, number=2)),
        run(0, 1),
        order=(0, 0, 1, 2, 1, 3, 3, 2),
    ),
}
# Of groups. A run stages its rows, then loads the facts and two aggregates.
GROUPS = {
    "a row that is delivered twice": play(AGGREGATES, run(0, 4, on(0), off(3))),
    "hours in reverse": play(AGGREGATES, run(3, 4, on(3)), run(0, 1, off(0))),
    "an older delivery beside a new row": play(AGGREGATES, run(3, 4, on(3)), run(0, 1, off(0), on(0, number=1))),
    "a row that moves to another hour": play(AGGREGATES, run(0, 1, off(0)), run(3, 4, on(3))),
    "a withdrawn row": play(AGGREGATES, run(0, 4, on(3, 2)), run(0, 3)),
    "a withdrawn row, delivered by another interval, too": play(
        AGGREGATES, run(0, 1, off(0)), run(3, 4, on(3)), run(3, 4)
    ),
    "a row that moves back": play(AGGREGATES, run(4, 6, on(5)), run(2, 6, off(4, 3))),
    "a row that is withdrawn during a rebuild": play(
        AGGREGATES, run(0, 1, on(0)), run(0, 1), run(3, 4, rebuilds=0), order=(0, 0, 0, 0, 1, 2, 2, 2, 2, 1, 1, 1)
    ),
    "changes while an aggregate is behind": play(
        AGGREGATES,
        run(0, 2, on(0), Reading(1, 1, 1, 1, "on", 20)),
        run(0, 1),
        run(1, 2),
        order=(0, 0, 0, 0, 1, 1, 1, 2, 2, 1, 2, 2),
    ),
}
# Of groups of groups. A run stages its rows, then loads the facts, their hours, and the days of the hours.
CHAINS = {
    "hours of a day": play(CHAIN, run(0, 1, on(0)), run(3, 4, off(3)), run(0, 1)),
    "a row that is withdrawn during a rebuild of its group": play(
        CHAIN, run(0, 1, on(0)), run(0, 1), run(3, 4, rebuilds=1), order=(0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 1, 1)
    ),
    "an hour that changes while its day is behind": play(
        CHAIN, run(0, 1, on(0)), run(3, 4, on(3)), run(4, 5), order=(0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 0, 1)
    ),
}
