"""Columns whose values are unique."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sparkify.quality import sql
from sparkify.quality.kinds.kind import CheckedRows, Columns, RowKind

if TYPE_CHECKING:
    from typing import Self


class Unique(RowKind, frozen=True, kw_only=True):
    """No two rows have the same values in the columns; a row with a missing value is equal to no other.

    The failing rows are those beyond the first of each value.
    """

    name: ClassVar[str] = "unique"
    description: ClassVar[str] = "a column, or a list of columns, with other values in every row; names in lower case"
    shorthand: ClassVar[str] = "of"

    of: Columns

    @classmethod
    def read(cls, options: str | list[str]) -> Self:
        return cls(of=[options] if isinstance(options, str) else options)

    @property
    def columns(self) -> list[str]:
        return self.of

    def aggregate(self, rows: CheckedRows) -> str | None:
        if len(self.columns) > 1:
            return None  # Redshift counts distinct values of one expression only
        (column,) = self.columns
        return f"COUNT({column}) - COUNT(DISTINCT {column})"

    def failing(self, rows: CheckedRows) -> str:
        return sql.render("unique", table=rows.table, columns=self.columns, scope=rows.where())

    def count(self, rows: CheckedRows) -> str:
        return sql.render("surplus", rows=self.failing(rows))
