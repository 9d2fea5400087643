"""The contract with the source: the members of its JSON objects."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple

import msgspec
from msgspec import UNSET, Meta, UnsetType

from sparkify.quality import sql
from sparkify.quality.kinds.kind import PERCENTAGE, CheckedRows, Columns, Evaluation, NumberKind, Percentage, fraction
from sparkify.sql import predicates

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from sparkify.quality.result import Severity

# How long before the interval the shares of NULLs are compared with.
HISTORY = timedelta(days=14)
# The rows that are read of a source without periods: those of its newest batches.
NEWEST = 10_000
# How many problems the observed result names.
NAMED = 5
# The length of the observed result's column, in bytes.
OBSERVED = 4_096

# None is the severity of the check.
_WORST = ("error", None, "warn")
_MISSING = "missing"
# What COPY loads as NULL; an empty string only unless the column is text.
_NULLS = ("null", "empty", _MISSING)


class Field(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A field with its options, such as {types: [string]}."""

    types: Annotated[
        list[Literal["string", "number", "boolean", "object", "array"]],
        Meta(min_length=1, description="the JSON types of its values; null and empty strings are counted as NULLs"),
    ]
    severity: (
        Annotated[Literal["error", "warn"], Meta(description="error or warn; by default that of the check")] | UnsetType
    ) = UNSET
    optional: Annotated[bool, Meta(description="whether all objects of a file may lack it")] = False
    max_nulls: (
        Annotated[
            str,
            Meta(
                pattern=PERCENTAGE,
                description="the largest share of NULLs, such as 5 %, instead of a comparison with the history",
            ),
        ]
        | UnsetType
    ) = UNSET
    columns: Annotated[
        Columns, Meta(description="the columns that it fills; by default the one with its name in lower case")
    ] = []


class SampledValues(NamedTuple):
    """The values of one JSON type of a field, in the sample of a period or of a batch.

    :param is_checked: 0 for the sum of the history before the interval.
    """

    is_checked: int
    period_start: datetime | None
    batch_id: int | None
    field: str
    column: str | None
    type: str
    occurrences: int
    file: str
    line: int


class Problem(NamedTuple):
    """A difference from the declared fields.

    :param key: identifies it as long as it lasts.
    :param values: sampled values as an example.
    """

    field: str
    key: str
    text: str
    columns: Sequence[str]
    severity: Severity | None
    values: SampledValues

    @property
    def row(self) -> dict[str, Any]:
        return {
            "field": self.field,
            "problem": self.text,
            "columns": ", ".join(self.columns) or None,
            "file": self.values.file,
            "line": self.values.line,
        }


class Fields(NumberKind, frozen=True, kw_only=True):
    """The sampled objects of the source have the declared members: none new, vanished, of another type, or NULL.

    ``operations.source_fields`` has the samples, see :mod:`sparkify.staging.source_fields`.
    """

    name: ClassVar[str] = "fields"
    description: ClassVar[str] = "the members that the source's JSON objects have; others are reported as new"

    period: Annotated[
        Literal["hour", "day", "all"],
        Meta(description="what a file covers: hour or day; all: objects that are not partitioned by time"),
    ]
    declared: Annotated[dict[str, Field], Meta(min_length=1, description="members by name")]
    ignored: Annotated[list[str], Meta(description="names of members that need not be loaded")] = msgspec.field(
        default_factory=list
    )
    max_increase: Annotated[
        Percentage, Meta(description="the largest increase of the share of NULLs over the history, such as 20 %")
    ]
    enough: Annotated[int, Meta(ge=1, description="the number of objects from which on shares are compared")] = (
        msgspec.field(name="from")
    )

    @property
    def columns(self) -> list[str]:
        return [column for name, field in self.declared.items() for column in _columns(name, field)]

    @property
    def contradiction(self) -> str | None:
        both = [name for name in self.ignored if name in self.declared]
        return f"{', '.join(both)} is declared and ignored" if both else None

    def select(self, rows: CheckedRows) -> str:
        if self.period == "all":
            return sql.render("fields", table=rows.table, start="", limit=NEWEST)
        first = next(rows.interval.periods(self.period)).start
        start, end = predicates.literal(first), predicates.literal(rows.interval.end)
        return sql.render("fields", table=rows.table, start=start, end=end, history=predicates.literal(first - HISTORY))

    def evaluate(self, measured: Sequence[Sequence[Any]], rows: CheckedRows) -> Evaluation:
        values = [SampledValues(*row) for row in measured]
        checked = [item for item in values if item.is_checked]
        expected = f"{len(self.declared)} declared fields"
        if not checked:
            return Evaluation(True, "no new sample", expected)
        found = {problem.key: problem for problem in self._problems(checked, values)}
        problems = sorted(found.values(), key=lambda problem: _WORST.index(problem.severity))
        if not problems:
            objects = sum(sum(item.occurrences for item in sample if item.field == sample[0].field)
                          for sample in _samples(checked))  # fmt: skip
            return Evaluation(True, f"{len(self.declared)} fields in {objects:,} sampled objects", expected)
        named = [f"{item.field} is {item.text} ({_place(item.values)})" for item in problems[:NAMED]]
        more = [f"and {len(problems) - NAMED} more"] if len(problems) > NAMED else []
        return Evaluation(
            False,
            "; ".join([*named, *more]).encode()[:OBSERVED].decode(errors="ignore"),
            expected,
            sample=[problem.row for problem in problems],
            severity=problems[0].severity,
            problems=tuple(found),
        )

    def _problems(self, checked: Sequence[SampledValues], values: Sequence[SampledValues]) -> Iterator[Problem]:
        """Yield the problems, the newest last."""
        for sample in reversed(_samples(checked)):
            names = set()
            partly = []
            for item in sample:
                name = self._name(item)
                if name in self.ignored:
                    continue
                if item.type == _MISSING:
                    partly.append((name, item))
                elif name not in self.declared:
                    columns = [item.column] if item.column else []
                    yield Problem(name, f"{name}: new", f"new, of type {item.type}", columns, None, item)
                else:
                    names.add(name)
                    types = self.declared[name].types
                    if item.type not in (*types, *_NULLS):
                        text = f"of type {item.type}, expected {' or '.join(types)}"
                        yield self._problem(name, f"type {item.type}", text, item)
            required = {name: field for name, field in self.declared.items() if not field.optional}
            example = _first(sample)
            for name in sorted(required.keys() - names):
                yield self._problem(name, "missing", "missing in all sampled objects", example)
            for name, item in partly:
                if name in required:
                    total = _total(other for other in sample if other.field == item.field)
                    text = f"missing in {item.occurrences:,} of {total:,} sampled objects"
                    # A few objects without it are a warning; if they are many, the share of NULLs has increased.
                    yield self._problem(name, "partly missing", text, item)._replace(severity=None)
        for name in self.declared:
            of_field = [item for item in values if self._name(item) == name]
            yield from self._nulls(name, of_field)

    def _nulls(self, name: str, of_field: Sequence[SampledValues]) -> Iterator[Problem]:
        """Yield a problem if the share of NULLs is too large, or has increased too much."""
        current, before = self._split(of_field)
        nulls = [item for item in current if item.type in _NULLS]
        if not nulls:
            return
        total, null, max_nulls = _total(current), _total(nulls), self.declared[name].max_nulls
        share = f"NULL in {_percent(null / total)} of {total:,} sampled objects"
        if max_nulls is not UNSET:
            # In a small sample, as many as in a sample that is large enough.
            if null > fraction(max_nulls) * max(total, self.enough):
                yield self._problem(name, "nulls", f"{share}, expected at most {max_nulls}", _first(nulls))
        elif total >= self.enough and _total(before) >= self.enough:
            usual = _total(item for item in before if item.type in _NULLS) / _total(before)
            if null / total - usual > fraction(self.max_increase):
                yield self._problem(name, "nulls", f"{share}, {_percent(usual)} before", _first(nulls))

    def _split(self, of_field: Sequence[SampledValues]) -> tuple[list[SampledValues], list[SampledValues]]:
        """Return the current and the earlier values; without periods, those of the newest and of other batches."""
        if self.period != "all":
            return [item for item in of_field if item.is_checked], [item for item in of_field if not item.is_checked]
        current: list[SampledValues] = []
        before: list[SampledValues] = []
        for sample in _samples(of_field):
            (before if _total(current) >= self.enough else current).extend(sample)
        return current, before

    def _name(self, item: SampledValues) -> str:
        """Return the declared name of a field: with 'auto ignorecase', COPY fills a column from any spelling."""
        if item.field in self.declared or item.column is None:
            return item.field
        return next((name for name in self.declared if name.lower() == item.column), item.field)

    def _problem(self, name: str, key: str, text: str, values: SampledValues) -> Problem:
        field = self.declared[name]
        severity = None if field.severity is UNSET else field.severity
        return Problem(name, f"{name}: {key}", text, _columns(name, field), severity, values)


def _samples(values: Iterable[SampledValues]) -> list[list[SampledValues]]:
    """Return the values of each period or batch, the newest first."""
    samples: dict[tuple[str, int], list[SampledValues]] = {}
    for item in values:
        samples.setdefault((str(item.period_start), item.batch_id or 0), []).append(item)
    return [samples[key] for key in sorted(samples, reverse=True)]


def _total(values: Iterable[SampledValues]) -> int:
    return sum(item.occurrences for item in values)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _first(values: Iterable[SampledValues]) -> SampledValues:
    """Return the first values that have a line, if any has one."""
    return min(values, key=lambda item: (item.file, not item.line, item.line))


def _columns(name: str, field: Field) -> Sequence[str]:
    return field.columns or [name.lower()]


def _place(values: SampledValues) -> str:
    return f"{values.file} line {values.line}" if values.line else values.file
