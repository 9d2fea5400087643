"""The history of data quality, in operations.data_quality_results."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sparkify.quality import sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sparkify.interval import Interval
    from sparkify.quality.outcome import Outcome
    from sparkify.warehouse import Warehouse

RESULTS = "operations.data_quality_results"
COLUMNS = (
    "dag_id", "run_id", "run_type", "interval_start", "interval_end", "checked_at", "table_name", "check_name", "kind",
    "severity", "scope", "outcome", "observed", "expected", "failing_rows", "total_rows", "sample", "seconds",
)  # fmt: skip
# Maximum bytes of a text, so that it fits the column.
WIDTH = 60_000


class Run(NamedTuple):
    """The DAG run that evaluated checks.

    :param run_type: Airflow's: ``scheduled``, ``backfill``, ``manual``, ``asset_triggered``.
    """

    dag_id: str
    run_id: str
    run_type: str

    @classmethod
    def of(cls, dag_run: Any) -> Run:
        """Return the run of a task's context."""
        # An enum in a task's context, text in dag.test().
        return cls(dag_run.dag_id, dag_run.run_id, str(getattr(dag_run.run_type, "value", dag_run.run_type)))


class Remembered(NamedTuple):
    """An outcome in the history; timestamps are UTC, naive."""

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


def latest(warehouse: Warehouse, runs: int = 24) -> list[Remembered]:
    """Return the latest outcomes of each check, newest first, ordered by table and check.

    :param runs: maximum number of outcomes per check.
    """
    return [Remembered(*row) for row in warehouse.query(sql.render("latest", runs=runs))]


def record(warehouse: Warehouse, outcomes: Sequence[Outcome], run: Run, interval: Interval) -> None:
    """Record the outcomes of a run's checks; the caller locks :data:`RESULTS`, and commits."""
    now = datetime.now(UTC).replace(tzinfo=None)
    start, end = (moment.replace(tzinfo=None) for moment in (interval.start, interval.end))
    rows = [
        (
            *run, start, end, now, item.table, item.check, item.kind, item.severity, item.scope, item.outcome,
            item.observed, item.expected, item.failing_rows, item.total_rows, _sample(item), item.seconds,
        )
        for item in outcomes
    ]  # fmt: skip
    warehouse.insert(RESULTS, COLUMNS, rows)


def _sample(outcome: Outcome) -> str:
    """Return the failing rows as JSON, as many as fit the column."""
    rows = list(outcome.sample)
    while len(text := json.dumps(rows)) > WIDTH:  # ASCII: a character is a byte
        rows.pop()
    return text
