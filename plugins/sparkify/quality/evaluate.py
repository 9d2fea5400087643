"""Evaluate checks, with one scan of a table for as many checks as possible."""

from __future__ import annotations

import time
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar

from sparkify.quality import sql
from sparkify.quality.kinds.kind import Evaluation, NumberKind, RowKind, fraction
from sparkify.quality.result import CheckResult
from sparkify.sql import predicates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sparkify.interval import Interval
    from sparkify.quality.declaration import Check
    from sparkify.quality.kinds.kind import CheckedRows
    from sparkify.warehouse import Warehouse

T = TypeVar("T")

# Maximum number of failing rows in a result, and of characters of a value.
SAMPLE = 5
WIDTH = 200


def evaluate(warehouse: Warehouse, checks: Sequence[Check], interval: Interval) -> Iterator[CheckResult]:
    """Evaluate checks, and yield their results.

    A table is scanned once for all checks that a scan can answer; one statement counts the failing rows of all others.
    If a check fails, a sample of its failing rows is read.

    :param checks: the checks, grouped by table.
    :param interval: the run's interval.
    """
    counted, seconds_of_counts = _timed(lambda: _counts(warehouse, checks, interval))
    for (table, _), group in groupby(checks, key=lambda check: (check.table, check.scope)):
        of_table = [(check, check.rows(interval)) for check in group]
        measures = {check.name: found for check, rows in of_table if (found := check.kind.aggregate(rows))}
        scope = of_table[0][1].where()
        scan = sql.render("scan", table=table, measures=list(measures.values()), scope=scope)
        (((total, *measured),), seconds_of_scan) = _timed(partial(warehouse.query, scan))
        values = dict(zip(measures, measured, strict=True))
        for check, rows in of_table:
            shared = seconds_of_scan if check.name in values else seconds_of_counts if _label(check) in counted else 0
            began = time.monotonic() - shared
            if isinstance(check.kind, NumberKind):
                select = check.kind.select(rows)
                number = warehouse.query(select) if select else values[check.name]
                yield _result(check, check.kind.evaluate(number, rows), 0, total, began)
            elif isinstance(check.kind, RowKind):
                failing = values[check.name] if check.name in values else counted[_label(check)]
                yield _of_rows(warehouse, check, check.kind, rows, total, failing, began)


def _label(check: Check) -> str:
    return f"{check.table}.{check.name}"


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    """Return the result, and the seconds that it took."""
    began = time.monotonic()
    return work(), time.monotonic() - began


def _counts(warehouse: Warehouse, checks: Sequence[Check], interval: Interval) -> dict[str, int]:
    """Return the number of failing rows of the checks that the scan of a table cannot answer."""
    counts = {
        _label(check): check.kind.count(rows)
        for check in checks
        if isinstance(check.kind, RowKind) and not check.kind.aggregate(rows := check.rows(interval))
    }
    return dict(warehouse.query(sql.render("counts", counts=counts, text=predicates.text))) if counts else {}


def _of_rows(
    warehouse: Warehouse, check: Check, kind: RowKind, rows: CheckedRows, total: int, failing: int, began: float
) -> CheckResult:
    if kind.outside_table:
        total += failing
    by_share = isinstance(check.allow, str)
    allowed = int(fraction(check.allow) * total) if isinstance(check.allow, str) else check.allow
    passed = failing <= allowed
    sample = []
    if not passed:
        columns, found = warehouse.table(sql.render("sample", rows=kind.failing(rows), limit=SAMPLE))
        sample = [{column: _plain(value) for column, value in zip(columns, row, strict=True)} for row in found]
    expected = f"at most {check.allow} {'of the ' * by_share}rows" if allowed or by_share else "none"
    observed = f"{failing:,} of {total:,} rows"
    return _result(check, Evaluation(passed, observed, expected, sample), failing, total, began)


def _result(check: Check, evaluation: Evaluation, failing: int, total: int, began: float) -> CheckResult:
    return CheckResult(
        table=check.table,
        check=check.name,
        kind=check.kind.name,
        severity=evaluation.severity or check.severity,
        scope=check.scope,
        passed=evaluation.passed,
        observed=evaluation.observed,
        expected=evaluation.expected,
        failing_rows=failing,
        total_rows=total,
        sample=list(evaluation.sample[:SAMPLE]),
        why=check.why,
        remedy=check.remedy,
        seconds=round(time.monotonic() - began, 3),
        column=check.column,
        problems=list(evaluation.problems),
    )


def _plain(value: Any) -> Any:
    """Return a value as JSON, truncated."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    return text if len(text) <= WIDTH else text[: WIDTH - 3] + "..."
