"""The history of data quality, in operations.data_quality_results."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from sparkify.quality import sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sparkify.interval import Interval
    from sparkify.quality.result import CheckResult
    from sparkify.warehouse import Warehouse

RESULTS = "operations.data_quality_results"
COLUMNS = (
    "dag_id", "run_id", "run_type", "interval_start", "interval_end", "checked_at", "table_name", "check_name", "kind",
    "severity", "scope", "outcome", "observed", "expected", "failing_rows", "total_rows", "sample", "seconds",
)  # fmt: skip
# Maximum bytes of a text, so that it fits the column.
WIDTH = 60_000


class RecordedResult(NamedTuple):
    """The result of a check in the history; timestamps are UTC, naive."""

    table: str
    check: str
    outcome: str
    observed: str
    expected: str
    sample: str
    run_id: str
    interval_start: datetime
    interval_end: datetime
    checked_at: datetime


def latest(warehouse: Warehouse, runs: int = 24) -> list[RecordedResult]:
    """Return the latest results of each check, newest first, ordered by table and check.

    :param runs: maximum number of results per check.
    """
    return [RecordedResult(*row) for row in warehouse.query(sql.render("latest", runs=runs))]


def record(
    warehouse: Warehouse, results: Sequence[CheckResult], interval: Interval, *, dag_id: str, run_id: str, run_type: str
) -> None:
    """Record the results of a run's checks; the caller locks :data:`RESULTS`, and commits.

    :param interval: the interval that the run has checked.
    :param run_type: Airflow's: ``scheduled``, ``backfill``, ``manual``, ``asset_triggered``.
    """
    now = datetime.now(UTC).replace(tzinfo=None)
    start, end = (moment.replace(tzinfo=None) for moment in (interval.start, interval.end))
    rows = [
        (
            dag_id, run_id, run_type, start, end, now, item.table, item.check, item.kind, item.severity, item.scope,
            item.outcome, item.observed, item.expected, item.failing_rows, item.total_rows, _sample(item), item.seconds,
        )
        for item in results
    ]  # fmt: skip
    warehouse.insert(RESULTS, COLUMNS, rows)


def _sample(result: CheckResult) -> str:
    """Return the failing rows as JSON, as many as fit the column."""
    rows = list(result.sample)
    while len(text := json.dumps(rows)) > WIDTH:  # ASCII: a character is a byte
        rows.pop()
    return text
