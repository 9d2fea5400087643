"""Evaluate checks, with one scan of a table for as many checks as possible."""

from __future__ import annotations

import time
from functools import partial
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

    Asked = Sequence[tuple[Check, CheckedRows]]

T = TypeVar("T")

# Maximum number of failing rows in a result, and of characters of a value.
SAMPLE = 5
WIDTH = 200


def evaluate(warehouse: Warehouse, checks: Sequence[Check], interval: Interval) -> Iterator[CheckResult]:
    """Evaluate checks, and yield their results.

    One statement scans each table once for all checks that a scan can answer; another counts the failing rows of all
    other checks. If a check fails, a sample of its failing rows is read.

    :param checks: the checks.
    :param interval: the run's interval.
    """
    asked = [(check, check.rows(interval)) for check in checks]
    (totals, scanned), seconds_of_scans = _timed(partial(_scan, warehouse, asked))
    counted, seconds_of_counts = _timed(partial(_count, warehouse, asked))
    measured = {**scanned, **counted}
    for check, rows in asked:
        total, label = totals[check.table, rows.where()], _label(check)
        shared = seconds_of_scans if label in scanned else seconds_of_counts if label in counted else 0
        began = time.monotonic() - shared
        if isinstance(check.kind, NumberKind):
            select = check.kind.select(rows)
            number = warehouse.query(select) if select else measured[label]
            yield _result(check, check.kind.evaluate(number, rows), 0, total, began)
        elif isinstance(check.kind, RowKind):
            yield _of_rows(warehouse, check, check.kind, rows, total, measured[label], began)


def _label(check: Check) -> str:
    return f"{check.table}.{check.name}"


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    """Return the result, and the seconds that it took."""
    began = time.monotonic()
    return work(), time.monotonic() - began


def _scan(warehouse: Warehouse, asked: Asked) -> tuple[dict[tuple[str, str], int], dict[str, Any]]:
    """Return the number of rows by table and condition, and the values of the checks that a scan can answer."""
    scans: dict[tuple[str, str], dict[str, str]] = {}
    for check, rows in asked:
        measures = scans.setdefault((check.table, rows.where()), {})
        if measure := check.kind.aggregate(rows):
            measures[_label(check)] = measure
    if not scans:
        return {}, {}
    names = [
        {"table": table, "where": where, "measures": list(measures.values())}
        for (table, where), measures in scans.items()
    ]
    (row,) = warehouse.query(sql.render("scans", scans=names))
    values = iter(row)
    totals, scanned = {}, {}
    for scan, measures in scans.items():
        totals[scan] = next(values)
        scanned.update({label: next(values) for label in measures})
    return totals, scanned


def _count(warehouse: Warehouse, asked: Asked) -> dict[str, int]:
    """Return the number of failing rows of the checks that the scan of a table cannot answer."""
    counts = {
        _label(check): check.kind.count(rows)
        for check, rows in asked
        if isinstance(check.kind, RowKind) and not check.kind.aggregate(rows)
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
