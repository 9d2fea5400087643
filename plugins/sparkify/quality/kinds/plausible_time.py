"""Times that can be true."""

from __future__ import annotations

from typing import ClassVar

from sparkify.quality.kinds.kind import CheckedRows, ConditionKind, Name
from sparkify.sql import predicates


class PlausibleTime(ConditionKind, frozen=True, kw_only=True):
    """Every time of a column is one that the warehouse accepts, and not in the future; a missing time passes."""

    name: ClassVar[str] = "plausible_time"
    description: ClassVar[str] = "a column of times from 1970 on and not in the future; a missing time passes"
    shorthand: ClassVar[str] = "of"

    of: Name

    @property
    def columns(self) -> list[str]:
        return [self.of]

    @property
    def condition(self) -> str:
        return f"NOT ({predicates.plausible()(self.of)})"

    def displayed(self, rows: CheckedRows) -> list[str]:
        """Show also which interval to load again; the time itself does not say it."""
        return [self.of, *([rows.interval_column] if rows.interval_column else [])]
