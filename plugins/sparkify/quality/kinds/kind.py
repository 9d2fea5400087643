"""What a kind of check consists of: typed options, the SQL that measures it, and the evaluation of the measured value.

An option's type is its JSON schema too: descriptions and limits stand once, in :class:`msgspec.Meta`.
"""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple

import msgspec
from msgspec import Meta

from sparkify.quality import sql
from sparkify.sql import predicates

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from sparkify.interval import Interval
    from sparkify.quality.result import Severity

Name = Annotated[str, Meta(pattern="^[a-z_][a-z0-9_]*$", description="a name in lower case, such as user_id")]
Columns = Annotated[list[Name], Meta(min_length=1)]
PERCENTAGE = r"^\d+(\.\d+)? ?%$"
Percentage = Annotated[str, Meta(pattern=PERCENTAGE, description="a percentage such as 1 % or 0.5 %")]
Text = Annotated[str, Meta(pattern=r"\S", description="a text")]


@dataclass(frozen=True)
class CheckedRows:
    """The rows that a check covers.

    :param table: the table.
    :param key: the columns that identify a row in messages.
    :param interval_column: the partition column, which determines the run that owns a row; None if the table has none.
    :param interval: the run's.
    :param whole_table: whether all rows are checked rather than those of the interval.
    """

    table: str
    key: tuple[str, ...]
    interval_column: str | None
    interval: Interval
    whole_table: bool = False

    @property
    def scope(self) -> predicates.Predicate:
        """The predicate of the rows, as a function of their time column."""
        return predicates.everything if self.whole_table else predicates.OfInterval(self.interval)

    def where(self, qualifier: str = "") -> str:
        """Return the condition of the rows.

        :param qualifier: put before the column, such as ``child.``.
        """
        return self.scope(f"{qualifier}{self.interval_column}")


class Evaluation(NamedTuple):
    """The evaluation of a measured value.

    :param observed: the measured value, as text.
    :param expected: the expected value, as text.
    :param sample: what has failed: values by name.
    :param severity: the severity of what has failed; None for that of the check.
    :param problems: the keys of what has failed, if a further problem is to be reported while the check is failing.
    """

    passed: bool
    observed: str
    expected: str
    sample: Sequence[dict[str, Any]] = ()
    severity: Severity | None = None
    problems: tuple[str, ...] = ()


class _KindMeta(msgspec.StructMeta, ABCMeta):
    """Structs with abstract methods."""


class Kind(msgspec.Struct, metaclass=_KindMeta, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kind of check; its fields are the options of a declaration.

    A measure that an aggregate of the table can give is part of one scan, shared by all checks of the table.
    """

    # Its key in a declaration, and the description of its options.
    name: ClassVar[str]
    description: ClassVar[str]
    # The only field, if a declaration gives its value without its name.
    shorthand: ClassVar[str | None] = None

    @classmethod
    def read(cls, options: Any) -> Self:
        """Return the kind with the options of a valid declaration."""
        return msgspec.convert({cls.shorthand: options} if cls.shorthand else options, cls)

    @property
    def columns(self) -> list[str]:
        """The columns of the table that are checked."""
        return []

    @property
    def contradiction(self) -> str | None:
        """The problem of the options that their types cannot express; None if they are valid."""
        return None

    def aggregate(self, rows: CheckedRows) -> str | None:
        """Return the aggregate that measures the check in the shared scan; None if it needs a SELECT of its own."""
        return None


class RowKind(Kind, frozen=True, kw_only=True):
    """A kind of check that counts failing rows."""

    # Whether the failing rows are outside of the table, so that its scan does not count them.
    outside_table: ClassVar[bool] = False

    @abstractmethod
    def failing(self, rows: CheckedRows) -> str:
        """Return a SELECT of the failing rows."""

    def count(self, rows: CheckedRows) -> str:
        """Return a SELECT of the number of failing rows."""
        return sql.render("count", rows=self.failing(rows))


class ConditionKind(RowKind, frozen=True, kw_only=True):
    """A kind of check whose failing rows meet a condition."""

    @property
    @abstractmethod
    def condition(self) -> str:
        """The condition, in SQL."""

    def aggregate(self, rows: CheckedRows) -> str:
        return f"COUNT(CASE WHEN {self.condition} THEN 1 END)"

    def displayed(self, rows: CheckedRows) -> list[str]:
        """Return the columns of a failing row that the sample has, besides its key."""
        return self.columns

    def failing(self, rows: CheckedRows) -> str:
        columns = list(dict.fromkeys([*rows.key, *self.displayed(rows)]))
        return sql.render("matching", table=rows.table, columns=columns, scope=rows.where(), condition=self.condition)


class ColumnsKind(Kind, frozen=True, kw_only=True):
    """A kind of check of one or more columns; a declaration gives one column, or a list of columns."""

    shorthand: ClassVar[str] = "of"

    of: Columns

    @classmethod
    def read(cls, options: str | list[str]) -> Self:
        return super().read([options] if isinstance(options, str) else options)

    @property
    def columns(self) -> list[str]:
        return self.of


class NumberKind(Kind, frozen=True, kw_only=True):
    """A kind of check of one number, with bounds of its own."""

    def select(self, rows: CheckedRows) -> str | None:
        """Return the SELECT that measures it; None if the shared scan does."""
        return None

    @abstractmethod
    def evaluate(self, measured: Any, rows: CheckedRows) -> Evaluation:
        """Evaluate the measured value.

        :param measured: the aggregate's value; the rows of :meth:`select` if it has one.
        """


def fraction(text: str) -> float:
    """Return a percentage as a fraction.

    >>> fraction("1 %")
    0.01
    """
    return float(text.rstrip("% ")) / 100


def bounds_problem(least: float | msgspec.UnsetType, most: float | msgspec.UnsetType) -> str | None:
    """Return the problem of a pair of bounds; None if they are valid."""
    if least is msgspec.UNSET and most is msgspec.UNSET:
        return "expected min, max or both"
    if least is not msgspec.UNSET and most is not msgspec.UNSET and least > most:
        return f"min {least:g} exceeds max {most:g}"
    return None
