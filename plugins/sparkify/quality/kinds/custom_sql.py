"""A custom SELECT."""

from __future__ import annotations

from typing import Annotated, ClassVar

import jinja2
from msgspec import Meta

from sparkify.quality.kinds.kind import CheckedRows, RowKind
from sparkify.sql import predicates, templates


class CustomSql(RowKind, frozen=True, kw_only=True):
    """A custom SELECT returns no row."""

    name: ClassVar[str] = "sql"
    description: ClassVar[str] = (
        "a SELECT of the rows that should not exist; {{ scope('column') }} stands for the run's interval"
    )
    shorthand: ClassVar[str] = "select"

    select: Annotated[str, Meta(pattern=r"(?i)\bselect\b")]

    @property
    def contradiction(self) -> str | None:
        import sqlglot
        from sqlglot import exp

        try:
            statements = [tree for tree in sqlglot.parse(self._render(predicates.everything), read="redshift") if tree]
        except jinja2.TemplateError as error:
            return f"expected {{{{ scope('column') }}}} as the only template; {error}"
        except sqlglot.ParseError as error:
            return f"invalid SQL of Redshift: {error.errors[0]['description']}"
        if len(statements) != 1 or not isinstance(statements[0], exp.Query):
            return "expected one SELECT"
        return None

    def failing(self, rows: CheckedRows) -> str:
        return self._render(rows.scope).strip().rstrip(";")

    def _render(self, scope: predicates.Predicate) -> str:
        return templates.from_string(self.select).render(scope=scope)
