"""Two tables with the same keys."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from sparkify.quality import sql
from sparkify.quality.kinds.kind import CheckedRows, Name, RowKind, Text


class Agreement(RowKind, frozen=True, kw_only=True):
    """The table has exactly the rows that another table implies: none lost, none more."""

    name: ClassVar[str] = "agreement"
    description: ClassVar[str] = "the table has exactly the rows that another table implies: none lost, none more"

    other: Annotated[Name, Meta(description="the other table")] = msgspec.field(name="with")
    interval: Annotated[Name, Meta(description="its partition column")]
    key: Annotated[Text, Meta(description="an expression in SQL that identifies a row there")]
    column: Annotated[Name, Meta(description="the column that has the same value here")] = msgspec.field(name="is")
    where: Annotated[Text, Meta(description="a condition in SQL on the rows of the other table")] | UnsetType = UNSET

    @property
    def columns(self) -> list[str]:
        return [self.column]

    def failing(self, rows: CheckedRows) -> str:
        return sql.render(
            "agreement",
            table=rows.table,
            column=self.column,
            scope=rows.where("target."),
            other=self.other,
            other_scope=rows.scope(self.interval),
            key=self.key,
            where=None if self.where is UNSET else self.where,
        )
