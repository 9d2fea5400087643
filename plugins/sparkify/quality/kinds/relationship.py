"""A foreign key."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from sparkify.quality import sql
from sparkify.quality.kinds.kind import CheckedRows, Name, RowKind


class Relationship(RowKind, frozen=True, kw_only=True):
    """Every value of a column exists in a column of another table; a missing value passes."""

    name: ClassVar[str] = "relationship"
    description: ClassVar[str] = "a column whose values all exist in a column of another table"

    column: Name
    to: Annotated[
        str,
        Meta(
            pattern=r"^[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*$",
            description="the other table and its column, such as users.user_id",
        ),
    ]

    @property
    def columns(self) -> list[str]:
        return [self.column]

    def failing(self, rows: CheckedRows) -> str:
        parent, _, parent_column = self.to.partition(".")
        return sql.render(
            "relationship",
            table=rows.table,
            column=self.column,
            columns=list(dict.fromkeys([*rows.key, self.column])),
            scope=rows.where("child."),
            parent=parent,
            parent_column=parent_column,
        )
