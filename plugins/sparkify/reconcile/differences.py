"""The ledger of a staging table, and the recorded differences of its source."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sparkify.interval import PERIODS, Interval
from sparkify.reconcile.plan import Difference
from sparkify.sql import templates
from sparkify.staging.periods import StagedPart
from sparkify.warehouse import WarehouseError
from sparkify.warehouse.errors import sqlstate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sparkify.interval import Period
    from sparkify.reconcile.compare import State
    from sparkify.warehouse import Warehouse

TABLE = "operations.source_differences"
COLUMNS = (
    "table_name", "period_start", "state", "version", "found_at", "attempts", "run_id", "triggered_at",
)  # fmt: skip

# A table, column or schema does not exist: https://www.postgresql.org/docs/current/errcodes-appendix.html
_NOT_CREATED = {"42P01", "42703", "3F000"}

render = templates.renderer(Path(__file__).parent)


@dataclass
class Ledger:
    """What is known of a source.

    :param parts: the staged parts, by the start of their period.
    :param differences: the recorded differences, by the start of the period.
    """

    parts: dict[datetime, list[StagedPart]] = field(default_factory=dict)
    differences: dict[datetime, Difference] = field(default_factory=dict)


def read(warehouse: Warehouse, table: str, period: Period) -> Ledger | None:
    """Read the ledger of a staging table, with one query.

    :param period: of its files.
    :return: None if its tables have not been created yet, or not in this version.
    """
    try:
        rows = warehouse.query(render("read_differences", table=table))
    except Exception as error:
        if sqlstate(error) in _NOT_CREATED:
            return None
        raise
    ledger = Ledger()
    for row in rows:
        start, version, part_start, part_end, staged_at, changes, loading_run, *recorded = row
        start = _aware(start)
        if version is not None:
            end = _aware(part_end) if part_end else start + PERIODS[period]
            part = Interval(_aware(part_start) if part_start else start, end)
            staged_at = staged_at and _aware(staged_at)
            staged = StagedPart(part, version, staged_at=staged_at, changes=changes, loading_run=loading_run)
            ledger.parts.setdefault(start, []).append(staged)
        if recorded[0] is not None:
            ledger.differences[start] = _difference(start, *recorded)
    return ledger


def write(
    warehouse: Warehouse, table: str, before: Mapping[datetime, Difference], after: Mapping[datetime, Difference]
) -> None:
    """Replace the recorded differences.

    :param before: as they were read.
    :raises WarehouseError: if another reconciliation has changed them since; a retry compares again.
    """

    def replace() -> None:
        rows = warehouse.query(f"SELECT {', '.join(COLUMNS[1:])} FROM {TABLE} WHERE table_name = '{table}'")
        if {(found := _difference(_aware(start), *values)).start: found for start, *values in rows} != before:
            raise WarehouseError(
                f"Another reconciliation has changed the recorded differences of {table} since this one read them: "
                "nothing was recorded or triggered. The task's retry compares again."
            )
        warehouse.script(
            f"-- Delete the former differences of {table}.\nDELETE FROM {TABLE} WHERE table_name = '{table}'"
        )
        warehouse.insert(TABLE, COLUMNS, [_row(table, item) for _, item in sorted(after.items())])

    warehouse.transaction(replace, lock=[TABLE])


def _difference(
    start: datetime,
    state: State,
    version: str,
    found_at: datetime,
    attempts: int,
    run_id: str | None,
    triggered_at: datetime | None,
) -> Difference:
    return Difference(start, state, version, _aware(found_at), attempts, run_id, triggered_at and _aware(triggered_at))


def _row(table: str, item: Difference) -> tuple[object, ...]:
    values = (value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value for value in item)
    return table, *values


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)
