"""Columns whose values are unique."""

from __future__ import annotations

from typing import ClassVar

from sparkify.quality import sql
from sparkify.quality.kinds.kind import CheckedRows, ColumnsKind, RowKind


class Unique(ColumnsKind, RowKind, frozen=True, kw_only=True):
    """No two rows have the same values in the columns; a row with a missing value is equal to no other.

    The failing rows are those beyond the first of each value.
    """

    name: ClassVar[str] = "unique"
    description: ClassVar[str] = "a column, or a list of columns, with other values in every row; names in lower case"

    def aggregate(self, rows: CheckedRows) -> str | None:
        if len(self.columns) > 1:
            return None  # Redshift counts distinct values of one expression only
        (column,) = self.columns
        return f"COUNT({column}) - COUNT(DISTINCT {column})"

    def failing(self, rows: CheckedRows) -> str:
        return sql.render("unique", table=rows.table, columns=self.columns, scope=rows.where())

    def count(self, rows: CheckedRows) -> str:
        return sql.render("surplus", rows=self.failing(rows))
