"""Rejected rows, recorded in ``operations.rejected_rows`` in the transaction that stages their files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sparkify.sql import predicates

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sparkify.warehouse import RejectedRow, Warehouse

TABLE = "operations.rejected_rows"

COLUMNS = (
    "table_name",
    "period_start",
    "batch_id",
    "run_id",
    "rejected_at",
    "file_name",
    "line_number",
    "column_name",
    "error_code",
    "reason",
    "raw_line",
    "raw_value",
)
# The error codes of this project's own rules; those of COPY have four digits:
# https://docs.aws.amazon.com/redshift/latest/dg/r_Load_Error_Reference.html
IMPLAUSIBLE_TIME = 1
EMPTY_OBJECT = 2
# Maximum length of a value in a message, in characters.
_SHOWN_VALUE = 40
_TEXTS = {"varchar", "char", "character", "character varying"}
# The lengths of the columns, in bytes.
_REASON, _TEXT = 1_024, 4_096


@dataclass(frozen=True)
class RejectedRows:
    """The rejected rows of a staging table.

    Methods are part of the caller's transaction, which holds a lock as the table's only writer.

    :param table: the staging table.
    :param run_id: the DAG run that reads its files.
    """

    table: str
    run_id: str

    def replace_periods(
        self,
        warehouse: Warehouse,
        rejects: Mapping[datetime, Sequence[RejectedRow]],
        former: int | None = None,
    ) -> None:
        """Replace the rejected rows of the files of consecutive periods.

        :param rejects: the rejected rows by the start of the period, in order; empty for a period without any. UTC.
        :param former: the number of former ones, as :meth:`count` selects it; None if unknown.
        """
        rows = [self._row(row, period_start=start) for start, found in rejects.items() for row in found]
        self._replace(warehouse, self._of_periods(rejects), rows, former)

    def count(self, periods: Collection[datetime]) -> str:
        """Return the subquery of the number of rejected rows of the files of consecutive periods."""
        return f"(SELECT COUNT(*) FROM {TABLE} WHERE table_name = '{self.table}' AND {self._of_periods(periods)})"

    @staticmethod
    def _of_periods(periods: Collection[datetime]) -> str:
        first, last = predicates.literal(min(periods)), predicates.literal(max(periods))
        return f"period_start >= {first} AND period_start <= {last}"

    def replace_batches(
        self, warehouse: Warehouse, retired: Iterable[int], rejects: Mapping[int, Sequence[RejectedRow]]
    ) -> None:
        """Replace the rejected rows of retired batches.

        Rows without a batch date from before the introduction of the quarantine.

        :param rejects: the rejected rows by the batch of their quarantined object.
        """
        ids = ", ".join(map(str, retired))
        rows = [self._row(row, batch_id=batch_id) for batch_id, found in rejects.items() for row in found]
        where = f"period_start IS NULL AND (batch_id IS NULL OR batch_id IN ({ids}))"
        self._replace(warehouse, where, rows, former=None if ids else 0)

    def _replace(
        self, warehouse: Warehouse, replaced: str, rows: Sequence[Sequence[object]], former: int | None
    ) -> None:
        where = f"table_name = '{self.table}' AND {replaced}"
        if former is None:
            ((former,),) = warehouse.query(f"SELECT COUNT(*) FROM {TABLE} WHERE {where}")
        # All staging tasks share this table, and Redshift lets one transaction at a time write to a table: without
        # rejected rows, the usual case, no transaction waits.
        if former:
            warehouse.script(f"-- Delete the former rejects of {self.table}.\nDELETE FROM {TABLE} WHERE {where}")
        if rows:
            warehouse.insert(TABLE, COLUMNS, rows)

    def _row(
        self, row: RejectedRow, *, period_start: datetime | None = None, batch_id: int | None = None
    ) -> tuple[object, ...]:
        return (
            self.table,
            period_start and period_start.replace(tzinfo=None),
            batch_id,
            self.run_id,
            datetime.now(UTC).replace(tzinfo=None),
            clip(row.file_name, _TEXT),
            row.line_number,
            row.column_name or None,
            row.error_code,
            clip(row.reason, _REASON),
            clip(row.raw_line, _TEXT),
            clip(row.raw_value, _TEXT),
        )


def explain(rows: Sequence[RejectedRow]) -> str:
    """Return file, line, column, reason and value of rejected rows, one per line.

    Messages reach logs and alerts, and text may be personal: a name, a location, a user agent. So a value is only shown
    if its column is declared as another type, such as a number or a timestamp. Redshift reports no values at all.
    """
    return "\n".join(map(_explain, rows))


def _explain(row: RejectedRow) -> str:
    line = f" line {row.line_number}" if row.line_number else ""
    column = f", column {row.column_name}" if row.column_name else f", position {row.position}" if row.position else ""
    is_shown = row.raw_value and row.column_type and row.column_type not in _TEXTS
    value = f", got {row.raw_value!r:.{_SHOWN_VALUE}}" if is_shown else ""
    return f"- {row.file_name}{line}{column}: {row.reason}{value} (error {row.error_code})"


def clip(text: str | None, length: int) -> str | None:
    """Truncate a text to the column's length in bytes, and replace NULs, which no column accepts."""
    return text and text.replace("\0", ".").encode(errors="replace")[:length].decode(errors="ignore")
