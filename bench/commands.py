"""``make run`` and ``make up`` in a clone with installed packages, beside the code before.

Each round uses a new clone. ``make up`` ends when Airflow runs and the first week of events is loaded.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, NamedTuple

from bench import before
from bench.race import Contender, race
from bench.results import Goal, ResultTable, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.testbed import Testbed

OURS, BASELINE = "ours", before.NAME


class Command(NamedTuple):
    """A command to measure.

    :param target: of make.
    :param again: whether the clone has the state of an earlier call.
    :param share: the goal: at most this share of the time before.
    """

    target: str
    again: bool
    share: float

    @property
    def title(self) -> str:
        return f"make {self.target}, {'again' if self.again else 'the first time'}"


# The goals: 7 s instead of 9, and 30 s instead of 46.
RUN, UP = 0.78, 0.65
COMMANDS = [Command("run", False, RUN), Command("run", True, RUN), Command("up", False, UP), Command("up", True, UP)]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command-line options."""
    parser.add_argument("--up", action=argparse.BooleanOptionalAction, default=True, help="measure make up, too")
    parser.add_argument("--repeat", type=int, default=3, help="rounds (%(default)s)")


def shrink(given: argparse.Namespace) -> None:
    """Choose sizes that are small enough for a test."""
    given.repeat, given.up = 1, False


def measure(given: argparse.Namespace, testbed: Testbed, progress: Callable[[str], None]) -> Iterator[ResultTable]:
    """Yield a table for each command.

    :raises ContenderError: if a command fails, or the repository lacks the baseline's commit.
    """
    for command in COMMANDS:
        if command.target == "up" and not given.up:
            continue
        job = {"target": command.target, "again": command.again}
        contenders = [
            Contender(OURS, "make_target", 1, {**job, "commit": before.head()}),
            Contender(BASELINE, "make_target", 1, {**job, "commit": before.COMMIT}),
        ]
        results = race(testbed, contenders, given.repeat, progress)
        seconds = {name: result.seconds for name, result in results.items()}
        share = min(seconds[OURS]) / min(seconds[BASELINE])
        yield ResultTable(
            command.title,
            ["", "seconds: median (min to max)"],
            [(name, spread(found, digits=1)) for name, found in seconds.items()],
            [Goal("ours, as a share of the time before:", share, most=command.share)],
        )
