"""Rejected rows, recorded in ``operations.rejected_rows`` in the transaction that stages their files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from sparkify.sql import predicates

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
# The lengths of the columns, in bytes.
_REASON, _TEXT = 1_024, 4_096


class Part(NamedTuple):
    """The rejected rows of one period's files, or of one quarantined object.

    :param rows: the rejected rows.
    :param period_start: of the files, if the source is partitioned by time; UTC.
    :param batch_id: of the object, if it is staged by object.
    """

    rows: Sequence[RejectedRow]
    period_start: datetime | None = None
    batch_id: int | None = None


@dataclass(frozen=True)
class RejectedRows:
    """The rejected rows of a staging table.

    Methods are part of the caller's transaction, which holds a lock as the table's only writer.

    :param table: the staging table.
    :param run_id: the DAG run that reads its files.
    """

    table: str
    run_id: str

    def replace_periods(self, warehouse: Warehouse, starts: Sequence[datetime], parts: Sequence[Part]) -> None:
        """Replace the rejected rows of some periods' files.

        :param starts: of the periods, which are consecutive.
        """
        first, last = predicates.literal(starts[0]), predicates.literal(starts[-1])
        self._replace(warehouse, f"period_start >= {first} AND period_start <= {last}", parts)

    def replace_batches(self, warehouse: Warehouse, retired: Iterable[int], parts: Sequence[Part]) -> None:
        """Replace the rejected rows of retired batches.

        Rows without a batch date from before the introduction of the quarantine.
        """
        ids = ", ".join(map(str, retired))
        of_retired = f" OR batch_id IN ({ids})" if ids else ""
        self._replace(warehouse, f"period_start IS NULL AND (batch_id IS NULL{of_retired})", parts)

    def _replace(self, warehouse: Warehouse, which: str, parts: Sequence[Part]) -> None:
        which = f"table_name = '{self.table}' AND {which}"
        ((known,),) = warehouse.query(f"SELECT COUNT(*) FROM {TABLE} WHERE {which}")
        # All staging tasks share this table, and Redshift lets one transaction at a time write to a table: without
        # rejected rows, the usual case, no transaction waits.
        if known:
            warehouse.script(f"-- Delete the former rejects of {self.table}.\nDELETE FROM {TABLE} WHERE {which}")
        if rows := [self._row(part, row) for part in parts for row in part.rows]:
            warehouse.insert(TABLE, COLUMNS, rows)

    def _row(self, part: Part, row: RejectedRow) -> tuple[object, ...]:
        return (
            self.table,
            part.period_start and part.period_start.replace(tzinfo=None),
            part.batch_id,
            self.run_id,
            datetime.now(UTC).replace(tzinfo=None),
            _clip(row.file_name, _TEXT),
            row.line_number,
            row.column_name or None,
            row.error_code,
            _clip(row.reason, _REASON),
            _clip(row.raw_line, _TEXT),
            _clip(row.raw_value, _TEXT),
        )


def _clip(text: str | None, length: int) -> str | None:
    """Truncate a text to the column's length in bytes, and replace NULs, which no column accepts."""
    return text and text.replace("\0", ".").encode(errors="replace")[:length].decode(errors="ignore")
