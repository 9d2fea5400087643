"""What a reconciliation reports through the alerts, as results of checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sparkify.quality.result import CheckResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sparkify.reconcile.plan import Difference

# How many periods a message shows.
SHOWN = 5


def vanished(table: str, found: Sequence[Difference], periods: int) -> CheckResult:
    """Return the warning about files that have vanished.

    :param found: the periods that are reported: those that were not reported before.
    :param periods: number of periods in the source's ledger.
    """
    return _result(
        table,
        "vanished_files",
        passed=False,
        observed=f"vanished periods: {len(found):,}",
        expected="none",
        failing=len(found),
        total=periods,
        sample=[{"period_start": f"{item.start:%Y-%m-%d %H:%M}"} for item in found[:SHOWN]],
        why="The files of these periods were deleted after they were staged. Their rows remain: nothing was deleted.",
        remedy="If the files have expired, nothing is to be done. Otherwise restore them. To delete the rows as well, "
        "load the periods with accept_vanished.",
    )


def backlog(table: str, waiting: int, limit: int) -> CheckResult:
    """Return whether one pass can trigger all runs that are ready.

    :param waiting: number of runs.
    :param limit: the maximum of a pass.
    """
    return _result(
        table,
        "reconcile_backlog",
        passed=waiting <= limit,
        observed=f"runs to trigger: {waiting:,}",
        expected=f"at most {limit:,}",
        failing=max(0, waiting - limit),
        total=waiting,
        sample=[],
        why="Many files have changed or are missing. They are loaded in several passes, oldest first.",
        remedy="Nothing is to be done if many files were expected to change. Otherwise check what writes the source: "
        "operations.source_differences has the periods.",
    )


def _result(
    table: str,
    check: str,
    *,
    passed: bool,
    observed: str,
    expected: str,
    failing: int,
    total: int,
    sample: list[dict[str, Any]],
    why: str,
    remedy: str,
) -> CheckResult:
    return CheckResult(
        table=table,
        check=check,
        kind="reconcile",
        severity="warn",
        scope="table",
        passed=passed,
        observed=observed,
        expected=expected,
        failing_rows=failing,
        total_rows=total,
        sample=sample,
        why=why,
        remedy=remedy,
        seconds=0.0,
    )
