"""A number of rows."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import UNSET, Meta, UnsetType

from sparkify.quality.kinds.kind import CheckedRows, Evaluation, NumberKind, bounds_problem


class RowCount(NumberKind, frozen=True, kw_only=True):
    """There are as many rows as expected."""

    name: ClassVar[str] = "row_count"
    description: ClassVar[str] = "the smallest and the largest number of rows"

    min: Annotated[int, Meta(ge=0, description="a number of rows")] | UnsetType = UNSET
    max: Annotated[int, Meta(ge=0, description="a number of rows")] | UnsetType = UNSET

    @property
    def contradiction(self) -> str | None:
        return bounds_problem(self.min, self.max)

    def aggregate(self, rows: CheckedRows) -> str:
        return "COUNT(*)"

    def evaluate(self, measured: int, rows: CheckedRows) -> Evaluation:
        least = 0 if self.min is UNSET else self.min
        if self.max is UNSET:
            return Evaluation(measured >= least, f"{measured:,} rows", f"at least {least:,} rows")
        return Evaluation(least <= measured <= self.max, f"{measured:,} rows", f"{least:,} to {self.max:,} rows")
