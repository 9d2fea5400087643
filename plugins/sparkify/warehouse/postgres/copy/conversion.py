"""The data conversion parameters of a COPY."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sparkify.warehouse.postgres.copy.command import CopyCommand


@dataclass(frozen=True)
class ConversionOptions:
    """The data conversion parameters of a COPY; :class:`CopyCommand` describes them."""

    timeformat: str | None = None
    truncatecolumns: bool = False
    blanksasnull: bool = False
    emptyasnull: bool = False
    acceptinvchars: str | None = None

    @classmethod
    def of(cls, command: CopyCommand) -> ConversionOptions:
        """Return the parameters of a command."""
        return cls(
            command.timeformat,
            command.truncatecolumns,
            command.blanksasnull,
            command.emptyasnull,
            command.acceptinvchars,
        )
