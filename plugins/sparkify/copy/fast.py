"""The fast way from a line of JSON to a row: one typed decoder, compiled for the columns.

It either returns exactly what :class:`~sparkify.copy.records.RecordReader` returns, or raises a ``ValueError`` (or
``RecursionError``) for a record it cannot decide; the exact reader then decides it. Types, lengths and ranges are
checked in the decoder's C code; what has no native type goes through the exact reader's own converter.

Files differ in ways that no catalog tells: a number column fed with strings, or 'auto ignorecase' with
``itemInSession``. The decoder learns such things from the records the exact reader had to read, and is compiled anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta
from msgspec.structs import astuple

from sparkify.copy import datetimes
from sparkify.copy.columns import FLOAT4_MAX, INTEGERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sparkify.copy.columns import Converter, Value
    from sparkify.copy.records import RecordReader
    from sparkify.copy.table import Column

_MAX_NAMES = 200  # more different names than this are data, not a schema


class Undecided(ValueError):
    """The fast decoder leaves the record to the exact reader."""


class FastReader:
    """Compiles and holds the decoder.

    :param exact: the reader that decides what this one cannot.
    :ivar read: the decoder: takes a record, returns its row. None when there can be none.
    """

    read: Callable[[bytes], Sequence[Value]] | None

    def __init__(self, exact: RecordReader) -> None:
        self._exact = exact
        self._raw: set[int] = set()  # columns whose values are not of the column's own JSON type
        self._spelling: dict[str, str] = {}  # 'auto ignorecase': folded name -> the name in the data
        self._ignored: set[str] = set()  # and the names that match no column
        self._names = _top_level_names(exact)
        self.read = self._compile()

    def learn(self, record: bytes) -> None:
        """Look at a record that the exact reader has read, so that the next one like it can be read here.

        :param record: an object or array that is well-formed.
        """
        if self.read is None or self._names is None or record[:1] != b"{":
            return
        members = self._exact.members(record)
        changed = False
        if self._exact.ignorecase:
            if self._is_ambiguous(members):
                self.read = None
                return
            changed = not self._compiled.issuperset(members)
        for index, column in enumerate(self._exact.columns):
            name = self._names[index]
            token = members.get(self._spelling.get(name, name) if self._exact.ignorecase else name)
            if token is None or index in self._raw or self._native(column) is None:
                continue
            if not _is_native(column, bytes(token)):
                self._raw.add(index)
                changed = True
        if changed:
            self.read = self._compile()

    def _is_ambiguous(self, members: Iterable[str]) -> bool:
        """Learn the names of a record; return whether they are too many, or one column has two spellings.

        Which of two spellings counts depends on their order in the record: that is for the exact reader.
        """
        columns = set(self._names or ())
        for name in members:
            if name.lower() not in columns:
                self._ignored.add(name)
            elif self._spelling.setdefault(name.lower(), name) != name:
                return True
        return len(self._ignored) > _MAX_NAMES

    def _compile(self) -> Callable[[bytes], Sequence[Value]] | None:
        if self._names is None:
            return None
        names = list(self._names)
        extra: list[str] = []
        if self._exact.ignorecase:
            names = [self._spelling.get(name, name) for name in names]
            extra = sorted(self._ignored)
        self._compiled = {*names, *extra}
        count = len(names)
        fields: list[tuple[Any, ...]] = []
        finish: list[tuple[int, Callable[[Any], Value]]] = []
        for index, column in enumerate(self._exact.columns):
            native = None if index in self._raw else self._native(column)
            if native is None:
                fields.append((f"f{index}", msgspec.Raw, msgspec.Raw(b"null")))
                finish.append((index, _of_raw(self._exact.converters[index])))
            elif column.not_null:
                fields.append((f"f{index}", native))
            else:
                fields.append((f"f{index}", native | None, None))
            if native is not None and (after := self._after(column)):
                finish.append((index, after))
        fields += [(f"f{count + index}", msgspec.Raw, msgspec.Raw(b"null")) for index in range(len(extra))]
        try:
            record = msgspec.defstruct(
                "Record",
                fields,
                rename=dict(zip((field[0] for field in fields), (*names, *extra), strict=True)),
                kw_only=True,
                gc=False,  # it holds no cycles, and is gone with its row
                # A name not seen before may be a column in another case: let the exact reader look at it.
                forbid_unknown_fields=self._exact.ignorecase,
            )
        except ValueError:  # a name that the decoder cannot match, such as one with a quotation mark
            return None
        return self._reader(record, count, bool(extra), finish)

    def _native(self, column: Column) -> Any:
        """Return the type whose decoding is the whole conversion, or None when there is none."""
        if column.type in INTEGERS:
            limit = 1 << (INTEGERS[column.type][0] - 1)
            return Annotated[int, Meta(ge=-limit, le=limit - 1)]
        if column.type in ("varchar", "char"):
            return Annotated[str, Meta(max_length=column.size)]  # characters; the bytes are checked below
        if column.type == "float8":
            return float
        if column.type == "float4":
            return Annotated[float, Meta(ge=-FLOAT4_MAX, le=FLOAT4_MAX)]
        if column.type == "bool":
            return bool
        if column.type in ("timestamp", "timestamptz") and self._exact.conversion.timeformat in datetimes.MICROSECONDS:
            first, last = datetimes.epoch_bounds(self._exact.conversion.timeformat)
            return Annotated[int, Meta(ge=first, le=last)]
        return None

    def _after(self, column: Column) -> Callable[[Any], Value] | None:
        """Return what is left to do to a natively decoded value other than None."""
        conversion = self._exact.conversion
        if column.type in ("timestamp", "timestamptz"):
            unit = datetimes.MICROSECONDS[conversion.timeformat or ""]
            return lambda value: value * unit - datetimes.EPOCH_MICROSECONDS
        if column.type in ("varchar", "char") and (conversion.emptyasnull or conversion.blanksasnull):

            def visible(value: str) -> str:
                if not value or value.isspace():
                    raise Undecided
                return value

            return visible
        return None

    def _reader(
        self, record: type, count: int, surplus: bool, finish: list[tuple[int, Callable[[Any], Value]]]
    ) -> Callable[[bytes], Sequence[Value]]:
        decode: Callable[[bytes], Any] = msgspec.json.Decoder(record).decode
        texts = [
            (index, column.type == "char", column.size)
            for index, column in enumerate(self._exact.columns)
            if column.type in ("varchar", "char") and index not in self._raw
        ]
        replacing = self._exact.conversion.acceptinvchars is not None

        def check(line: bytes, row: Sequence[Any]) -> None:
            """Check what only a line with other characters than ASCII's can break."""
            if replacing:
                raise Undecided
            line.decode()  # members without a column are skipped undecoded; the exact reader sees their names
            for index, single_byte, size in texts:
                text = row[index]
                if text is None:
                    continue
                if "\0" in text or (not text.isascii() and (single_byte or len(text.encode()) > size)):
                    raise Undecided

        def read(line: bytes) -> Sequence[Value]:
            row: Any = astuple(decode(line))
            # Searching from the first backslash on saves half of what is, after decoding, the dearest step.
            if not line.isascii() or ((start := line.find(b"\\")) >= 0 and line.find(b"\\u", start) >= 0):
                check(line, row)
            if finish or surplus:
                row = list(row[:count])
                for index, convert in finish:
                    value = row[index]
                    if value is not None:
                        row[index] = convert(value)
            return row

        return read


def _of_raw(convert: Converter) -> Callable[[msgspec.Raw], Value]:
    return lambda raw: convert(bytes(raw))


def _top_level_names(exact: RecordReader) -> tuple[str, ...] | None:
    """Return the member each column takes, or None when a path leads deeper or two lead to one member."""
    if exact.paths is None:
        return tuple(column.name for column in exact.columns)
    names = [path.steps[0] for path in exact.paths if len(path.steps) == 1 and isinstance(path.steps[0], str)]
    if len(names) < len(exact.paths) or len(set(names)) < len(names):
        return None
    return tuple(str(name) for name in names)


def _is_native(column: Column, token: bytes) -> bool:
    """Return whether a token has the JSON type that the decoder takes for a column."""
    if token == b"null":
        return True
    first = token[:1]
    if column.type in ("varchar", "char"):
        return first == b'"'
    if column.type == "bool":
        return first in b"tf"
    if first == b'"' or first in b"tf{[":
        return False
    return column.type in ("float4", "float8") or not any(mark in token for mark in b".eE")
