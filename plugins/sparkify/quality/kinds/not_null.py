"""Columns without missing values."""

from __future__ import annotations

from typing import ClassVar

from sparkify.quality import sql
from sparkify.quality.kinds.kind import ColumnsKind, ConditionKind


class NotNull(ColumnsKind, ConditionKind, frozen=True, kw_only=True):
    """Every row has a value in each of the columns."""

    name: ClassVar[str] = "not_null"
    description: ClassVar[str] = "a column, or a list of columns, with a value in every row; names in lower case"

    @property
    def condition(self) -> str:
        return sql.condition("not_null", columns=self.columns)
