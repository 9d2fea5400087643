"""A column with a closed list of values."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from sparkify.quality import sql
from sparkify.quality.kinds.kind import ConditionKind, Name
from sparkify.sql import predicates


class AcceptedValues(ConditionKind, frozen=True, kw_only=True):
    """A column has no other value than those listed."""

    name: ClassVar[str] = "accepted_values"
    description: ClassVar[str] = "a column and the only values that it may have; null is accepted only if listed"

    column: Name
    values: Annotated[
        list[str | float | int | None], Meta(min_length=1, description="a list of texts, numbers or null")
    ]

    @property
    def columns(self) -> list[str]:
        return [self.column]

    @property
    def condition(self) -> str:
        listed = [value.rstrip(" ") if isinstance(value, str) else value for value in self.values if value is not None]
        return sql.condition(
            self.name,
            column=self.column,
            values=[_literal(value) for value in listed] or ["NULL"],
            or_null=None in self.values,
            texts=bool(listed) and all(isinstance(value, str) for value in listed),
        )


def _literal(value: str | float) -> str:
    return predicates.text(value) if isinstance(value, str) else str(value)
