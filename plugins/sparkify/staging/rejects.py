"""The rejected rows, remembered in ``operations.rejected_rows`` with what is staged of their files."""

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
# The error codes of this project's own rules. COPY's have four digits, so nobody looks these up in its reference:
# https://docs.aws.amazon.com/redshift/latest/dg/r_Load_Error_Reference.html
IMPLAUSIBLE_TIME = 1
EMPTY_OBJECT = 2
# The lengths of the columns, in bytes.
_REASON, _TEXT = 1_024, 4_096


class Part(NamedTuple):
    """The rejected rows of one period's files, or of one quarantined object.

    :param rows: that were rejected.
    :param period_start: of the files, for a source that is cut by time; in UTC.
    :param batch_id: of the object, for a source that is not.
    """

    rows: Sequence[RejectedRow]
    period_start: datetime | None = None
    batch_id: int | None = None


@dataclass(frozen=True)
class RejectedRows:
    """The rejected rows of a staging table.

    A method is part of the caller's transaction, which has locked what makes it the table's only writer.

    :param table: the staging table.
    :param run_id: the DAG run that reads its files.
    """

    table: str
    run_id: str

    def replace_periods(self, warehouse: Warehouse, starts: Sequence[datetime], parts: Sequence[Part]) -> None:
        """Forget what was rejected of the files of some periods, and remember what is rejected now.

        :param starts: of the periods, which follow each other.
        """
        first, last = predicates.literal(starts[0]), predicates.literal(starts[-1])
        self._replace(warehouse, f"period_start >= {first} AND period_start <= {last}", parts)

    def replace_batches(self, warehouse: Warehouse, retired: Iterable[int], parts: Sequence[Part]) -> None:
        """Forget what was rejected of retired batches, and remember what is rejected now.

        Rows without a batch are of before objects were quarantined.
        """
        ids = ", ".join(map(str, retired))
        of_retired = f" OR batch_id IN ({ids})" if ids else ""
        self._replace(warehouse, f"period_start IS NULL AND (batch_id IS NULL{of_retired})", parts)

    def _replace(self, warehouse: Warehouse, which: str, parts: Sequence[Part]) -> None:
        which = f"table_name = '{self.table}' AND {which}"
        ((known,),) = warehouse.query(f"SELECT COUNT(*) FROM {TABLE} WHERE {which}")
        # All staging tasks share this table, and Redshift lets one transaction at a time write a table: without
        # rejected rows, which is usual, there is nothing to wait for.
        if known:
            warehouse.script(f"-- Forget what was rejected of {self.table}.\nDELETE FROM {TABLE} WHERE {which}")
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
    """Return the beginning of a text that fits into a column, without the NUL that no column takes."""
    return text and text.replace("\0", ".").encode(errors="replace")[:length].decode(errors="ignore")
