"""The summary of a backfill's runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sparkify.interval import Interval


@dataclass(frozen=True)
class Problem:
    """A check or a task that failed in a backfill.

    :param severity: the worst.
    :param hours: the intervals of the runs where it did, united.
    :param runs: how many they are.
    :param observed: in the first of them.
    """

    key: str
    severity: str
    hours: tuple[Interval, ...]
    runs: int
    observed: str


@dataclass(frozen=True)
class Summary:
    """What the runs of a backfill came to.

    :param hours: their intervals, united.
    :param passed: runs without a problem.
    :param warned: runs that found no more than warnings.
    :param failed: runs of which a task or a check failed.
    """

    hours: tuple[Interval, ...]
    passed: int
    warned: int
    failed: int
    problems: list[Problem]

    @property
    def runs(self) -> int:
        """How many runs there were."""
        return self.passed + self.warned + self.failed
