"""A column with values within bounds."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import UNSET, Meta, UnsetType

from sparkify.quality import sql
from sparkify.quality.kinds.kind import ConditionKind, Name, bounds_problem


class Range(ConditionKind, frozen=True, kw_only=True):
    """Every value of a column is within bounds, which are included; a missing value passes."""

    name: ClassVar[str] = "range"
    description: ClassVar[str] = "a column and its smallest and largest value; a missing value is in range"

    column: Name
    min: Annotated[float, Meta(description="a number")] | UnsetType = UNSET
    max: Annotated[float, Meta(description="a number")] | UnsetType = UNSET

    @property
    def columns(self) -> list[str]:
        return [self.column]

    @property
    def contradiction(self) -> str | None:
        return bounds_problem(self.min, self.max)

    @property
    def condition(self) -> str:
        least, most = (None if bound is UNSET else f"{bound:g}" for bound in (self.min, self.max))
        return sql.condition(self.name, column=self.column, min=least, max=most)
