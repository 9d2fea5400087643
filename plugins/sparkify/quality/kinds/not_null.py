"""Columns without missing values."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sparkify.quality import sql
from sparkify.quality.kinds.kind import Columns, ConditionKind

if TYPE_CHECKING:
    from typing import Self


class NotNull(ConditionKind, frozen=True, kw_only=True):
    """Every row has a value in each of the columns."""

    name: ClassVar[str] = "not_null"
    description: ClassVar[str] = "a column, or a list of columns, with a value in every row; names in lower case"
    shorthand: ClassVar[str] = "of"

    of: Columns

    @classmethod
    def read(cls, options: str | list[str]) -> Self:
        return cls(of=[options] if isinstance(options, str) else options)

    @property
    def columns(self) -> list[str]:
        return self.of

    @property
    def condition(self) -> str:
        return sql.condition("not_null", columns=self.columns)
