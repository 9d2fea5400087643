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
    :param hours: the intervals of the runs that failed, merged.
    :param runs: their number.
    :param observed: the result in the first of them.
    """

    key: str
    severity: str
    hours: tuple[Interval, ...]
    runs: int
    observed: str


@dataclass(frozen=True)
class Summary:
    """The results of a backfill's runs.

    :param hours: their intervals, merged.
    :param passed: runs without a problem.
    :param warned: runs with warnings only.
    :param failed: runs with a failed task or check.
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
