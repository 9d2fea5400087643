"""The fast reader: a typed decoder for a block of lines, and one expression that builds a row.

It returns the rows that :class:`~.records.RecordReader` returns, or raises a ``ValueError`` (or ``RecursionError``) for
a block that it does not support; the exact reader then reads the block. The decoder's C code checks types, lengths and
ranges; values without a native type use the converters of the exact reader.

The catalogue lacks some properties of a file: strings in a number column, long texts in a short column, the case of
``itemInSession`` with 'auto ignorecase'. The fast reader learns them from the records that the exact reader has read,
and recompiles its decoder.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import msgspec
from msgspec import Meta

from sparkify.warehouse.postgres.copy import datetimes
from sparkify.warehouse.postgres.copy.columns import FLOAT4_MAX, INTEGERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sparkify.warehouse.postgres.copy.columns import Value
    from sparkify.warehouse.postgres.copy.records import RecordReader
    from sparkify.warehouse.postgres.copy.target import Column

    Row = Sequence[Value]

_NUL = b"\\u0000"
_MISSING = msgspec.Raw(b"null")
_MAX_NAMES = 200  # an object with more names than this has data as names


class FallbackError(ValueError):
    """The fast reader does not support a block; the exact reader has to read it."""


class FastReader:
    """Compiles the decoder, and recompiles it when it has learned.

    :param exact: the exact reader.
    :ivar read: returns the rows of records that are separated by white space only; None if the columns or the file are
        not supported.
    """

    read: Callable[[bytes], list[Row]] | None

    def __init__(self, exact: RecordReader) -> None:
        self._exact = exact
        self._strings: set[int] = set()  # integer columns whose values are strings
        self._raw: set[int] = set()  # columns whose values are not of the JSON type of the column
        # Text columns with values that may be too long, at up to four bytes per character in UTF-8.
        self._long = {index for index, column in enumerate(exact.columns) if column.type == "char"}
        self._spelling: dict[str, str] = {}  # 'auto ignorecase': the names in the data, by folded name
        self._ignored: set[str] = set()  # 'auto ignorecase': names in the data that match no column
        self._names = _top_level_names(exact)
        self.read = self._compile()

    def learn(self, record: bytes, row: Row) -> None:
        """Learn from a record that the exact reader has read, to support similar records.

        :param record: a well-formed object or array.
        :param row: its row.
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
            if token is not None and self._learn(index, column, bytes(token), row[index]):
                changed = True
        if changed:
            self.read = self._compile()

    def _learn(self, index: int, column: Column, token: bytes, value: Value) -> bool:
        """Learn from a value; return whether the decoder must be recompiled."""
        if index in self._raw or token == b"null" or self._native(index, column) is None:
            return False
        quoted = token[:1] == b'"'
        if column.type in INTEGERS and quoted != (index in self._strings):
            # Strings until the first number: no decoder supports both.
            (self._strings if quoted else self._raw).add(index)
            return True
        if index not in self._strings and not _is_native(column, token):
            self._raw.add(index)
            return True
        if isinstance(value, str) and index not in self._long and len(value) > column.size // 4:
            self._long.add(index)
            return True
        return False

    def _is_ambiguous(self, members: Iterable[str]) -> bool:
        """Learn the names of a record; return whether there are too many, or a column has two spellings.

        With two spellings in a record the last one is loaded, which the decoder cannot determine.
        """
        columns = set(self._names or ())
        for name in members:
            if name.lower() not in columns:
                self._ignored.add(name)
            elif self._spelling.setdefault(name.lower(), name) != name:
                return True
        return len(self._ignored) > _MAX_NAMES

    def _compile(self) -> Callable[[bytes], list[Row]] | None:
        if self._names is None:
            return None
        names = list(self._names)
        extra: list[str] = []
        if self._exact.ignorecase:
            names = [self._spelling.get(name, name) for name in names]
            extra = sorted(self._ignored)
        self._compiled = {*names, *extra}
        fields: list[tuple[Any, ...]] = []
        values: list[str] = []  # the expressions of a row, from a record ``r``
        functions: dict[str, Callable[..., Value]] = {"fall_back": _fall_back, "visible": _visible}
        for index, column in enumerate(self._exact.columns):
            native = None if index in self._raw else self._native(index, column)
            value = f"r.f{index}"
            if native is None:
                fields.append((f"f{index}", msgspec.Raw, _MISSING))
                functions[f"convert{index}"] = self._exact.converters[index]
                values.append(f"convert{index}(bytes({value}))")
                continue
            fields.append((f"f{index}", native) if column.not_null else (f"f{index}", native | None, None))
            if finish := self._finish(index, column):
                finish = finish.format(value)
                value = finish if column.not_null else f"None if {value} is None else {finish}"
            values.append(value)
        fields += [(f"ignored{index}", msgspec.Raw, _MISSING) for index in range(len(extra))]
        try:
            record = msgspec.defstruct(
                "Record",
                fields,
                rename=dict(zip((field[0] for field in fields), (*names, *extra), strict=True)),
                kw_only=True,
                gc=False,  # records have no reference cycles
                # A new name may be a column in another case: the exact reader reads it.
                forbid_unknown_fields=self._exact.ignorecase,
            )
        except ValueError:  # a name that the decoder does not support, such as one with a quotation mark
            return None
        # One expression for the whole row takes half the time of a loop over its columns.
        source = f"lambda records: [({', '.join(values)},) for r in records]"
        return self._reader(record, eval(source, functions))  # noqa: S307 - its parts are those above, never data

    def _native(self, index: int, column: Column) -> Any:
        """Return the type that the decoder converts to, before :meth:`_finish`; None if there is none."""
        if index in self._strings:
            return Annotated[str, Meta(max_length=len(str(1 << (INTEGERS[column.type][0] - 1))) - 1)]  # all of them fit
        if column.type in INTEGERS:
            limit = 1 << (INTEGERS[column.type][0] - 1)
            return Annotated[int, Meta(ge=-limit, le=limit - 1)]
        if column.type in ("varchar", "char"):
            # The decoder counts characters. A quarter of the size always fits; otherwise bytes are counted below.
            return Annotated[str, Meta(max_length=column.size if index in self._long else column.size // 4)]
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

    def _finish(self, index: int, column: Column) -> str:
        """Return the expression that completes the conversion of a decoded value ``{}``; empty if it is complete."""
        conversion = self._exact.conversion
        if index in self._strings:
            otherwise = "fall_back()" if column.not_null else "fall_back() if {0} else None"  # a blank is NULL
            return "int({0}) if {0}.isdigit() and {0}.isascii() else " + otherwise
        if column.type in ("timestamp", "timestamptz"):
            return f"{{}} * {datetimes.MICROSECONDS[conversion.timeformat or '']} - {datetimes.EPOCH_MICROSECONDS}"
        if column.type in ("varchar", "char") and (conversion.emptyasnull or conversion.blanksasnull):
            return "visible({})"
        return ""

    def _reader(self, record: type, rows: Callable[[list[Any]], list[Row]]) -> Callable[[bytes], list[Row]]:
        decode: Callable[[bytes], list[Any]] = msgspec.json.Decoder(record).decode_lines
        replacing = self._exact.conversion.acceptinvchars is not None
        long = [
            (attrgetter(f"f{index}"), column.type == "char", column.size)
            for index, column in enumerate(self._exact.columns)
            if index in self._long and index not in self._raw
        ]

        def read(data: bytes) -> list[Row]:
            records = decode(data)
            # rfind() takes half the time of find().
            if data.rfind(_NUL) >= 0 or (replacing and not _is_plain(data)):
                raise FallbackError
            if not data.isascii():
                data.decode()  # the decoder skips members without a column; invalid UTF-8 in them is an error
            for text_of, single_byte, size in long:
                for text in set(map(text_of, records)):  # often few distinct values, such as pages
                    if text and not text.isascii() and (single_byte or len(text.encode()) > size):
                        raise FallbackError
            return rows(records)

        return read


def _is_plain(data: bytes) -> bool:
    """Return whether all characters are ASCII."""
    return data.isascii() and b"\\u" not in data


def _fall_back() -> NoReturn:
    raise FallbackError


def _visible(text: str) -> str:
    if not text or text.isspace():
        raise FallbackError
    return text


def _top_level_names(exact: RecordReader) -> tuple[str, ...] | None:
    """Return the member of each column; None if a path has several steps, or two columns have the same member."""
    if exact.paths is None:
        return tuple(column.name for column in exact.columns)
    names = [path.steps[0] for path in exact.paths if len(path.steps) == 1 and isinstance(path.steps[0], str)]
    if len(names) < len(exact.paths) or len(set(names)) < len(names):
        return None
    return tuple(str(name) for name in names)


def _is_native(column: Column, token: bytes) -> bool:
    """Return whether a token has the JSON type that the decoder expects for a column."""
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
