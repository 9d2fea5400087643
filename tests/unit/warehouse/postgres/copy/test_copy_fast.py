"""The fast reader returns the rows of the exact reader, or raises an error; files give the same rows with either."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparkify.warehouse.postgres.copy.conversion import ConversionOptions
from sparkify.warehouse.postgres.copy.errors import RecordError
from sparkify.warehouse.postgres.copy.fast import FallbackError, FastReader
from sparkify.warehouse.postgres.copy.files import FileReader
from sparkify.warehouse.postgres.copy.jsonpaths import Path
from sparkify.warehouse.postgres.copy.records import RecordReader
from sparkify.warehouse.postgres.copy.target import Column

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sparkify.warehouse.copy_result import RejectedRow
    from sparkify.warehouse.postgres.copy.columns import Value

COLUMNS = [
    Column("artist", "varchar", size=6),
    Column("code", "char", size=3),
    Column("small", "int2"),
    Column("userid", "int4"),
    Column("ts", "int8", not_null=True),
    Column("length", "float8"),
    Column("real", "float4"),
    Column("price", "numeric", precision=6, scale=2),
    Column("paid", "bool"),
    Column("day", "date"),
    Column("at", "timestamp"),
]
NAMES = [column.name for column in COLUMNS]

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.sampled_from([2**15, 2**31 - 1, 2**31, -(2**31) - 1, 2**63, 10**30, 1.0, 1.5, -0.0, 1e38, 4e38]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(["", " ", "39", "1.5", "NaN", "null", "true", "1_0", "2018-11-01", "2018-11-01 00:00:00", "é" * 4]),
    st.sampled_from(["2018-11-01T00:00:00.195Z", "2018-11-01 00:00:00-08", "J2451187", "17 Dec 07:37:16 1997 PST"]),
    st.sampled_from(["abcdef  ", "ééé ", "abcdef\u00a0", "abcdef\t", "é     ", " " * 9, "abc  ", "ab é"]),
    st.sampled_from(["a\0b", "\ufdd0", "￿", "\\", '"']),
    st.lists(st.integers(0, 9), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(0, 9), max_size=2),
)
TEXTS = st.text(max_size=7) | st.sampled_from(["", " ", "a\0b", "éééé", "abc", "\ufdd0"])
TEXTS |= st.tuples(st.text(max_size=6), st.text(" \t", max_size=4)).map("".join)
# Mostly valid values of each column, so that many records have a single invalid value.
FITTING: dict[str, st.SearchStrategy[Any]] = {
    "artist": TEXTS,
    "code": TEXTS,
    "small": st.integers(-40_000, 40_000),
    "userid": st.integers(0, 2**32) | st.integers(0, 99).map(str),
    "ts": st.integers(0, 2**63),
    "length": st.floats(allow_nan=False, allow_infinity=False),
    "real": st.floats(allow_nan=False, allow_infinity=False, width=32),
    "price": st.integers(0, 9) | st.sampled_from([1.259, "1.259"]),
    "paid": st.booleans(),
    "day": st.just("2018-11-01"),
    "at": st.none()
    | st.integers(0, 2**41)
    | st.sampled_from(["2018-11-01 00:00:00", "2018-11-01T00:00:00.195Z", "2018-11-01 00:00:00-08", "1996.008"]),
}
KEYS = st.sampled_from([*NAMES, "other", "Artist", "USERID"]) | st.text(max_size=3)
CONVERSIONS = st.builds(
    ConversionOptions,
    timeformat=st.sampled_from([None, "auto", "epochsecs", "epochmillisecs"]),
    truncatecolumns=st.booleans(),
    blanksasnull=st.booleans(),
    emptyasnull=st.booleans(),
    acceptinvchars=st.sampled_from([None, "?"]),
)


@st.composite
def records(draw: st.DrawFn) -> bytes:
    """Draw a record: JSON, sometimes with duplicate names or invalid bytes."""
    members: list[tuple[str, Any]] = [
        (name, draw(FITTING[name])) for name in draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=5))
    ]
    members += draw(st.lists(st.tuples(KEYS, VALUES), max_size=2))
    if draw(st.integers(0, 4)):
        members.append(("ts", 1))
    escape = draw(st.booleans())
    text = ", ".join(
        f"{json.dumps(name, ensure_ascii=escape)}: {json.dumps(value, ensure_ascii=escape)}" for name, value in members
    )
    record = ("{" + text + "}").encode(errors="replace")
    if draw(st.integers(0, 9)) == 0 and len(record) > 2:
        place = draw(st.integers(1, len(record) - 1))
        record = (
            record[:place] + draw(st.sampled_from([b"\xff", b"\xa4", b"}", b",", b"\\", b""])) + record[place + 1 :]
        )
    return record.replace(b"\n", b" ")


def reader(conversion: ConversionOptions, mode: str) -> RecordReader:
    paths = [Path((name,)) for name in NAMES] if mode == "paths" else None
    return RecordReader(COLUMNS, conversion, paths=paths, ignorecase=mode == "ignorecase")


MODES = st.sampled_from(["auto", "ignorecase", "paths"])


@settings(max_examples=600)
@given(st.lists(records(), min_size=1, max_size=6), CONVERSIONS, MODES)
def test_the_fast_reader_returns_the_rows_of_the_exact_reader(
    lines: list[bytes], conversion: ConversionOptions, mode: str
):
    exact = reader(conversion, mode)
    fast = FastReader(exact)
    for line in lines:
        try:
            expected: Any = exact.read(line)
        except RecordError:
            expected = RecordError
        if fast.read is not None:
            try:
                rows = fast.read(line)
            except (ValueError, RecursionError):
                pass
            else:
                assert [repr(list(row)) for row in rows] == [repr(expected)]  # repr: 1 is not 1.0, 0.0 is not -0.0
        if expected is not RecordError:
            fast.learn(line, expected)


@pytest.mark.parametrize("escape", [True, False])
@pytest.mark.parametrize("members", [{"artist": "a\0b"}, {"artist": "éééé"}, {"code": "é"}, {"code": "ab\0"}])
def test_the_exact_reader_checks_nul_and_lengths_in_bytes(members: dict[str, object], escape: bool):
    """The decoder counts characters: it checks neither NULs nor bytes."""
    exact = reader(ConversionOptions(), "auto")
    fast = FastReader(exact)
    fast.learn(line(artist="abcd"), exact.read(line(artist="abcd")))
    assert fast.read is not None
    with pytest.raises(FallbackError):
        fast.read(json.dumps({"ts": 1, **members}, ensure_ascii=escape).encode())
    fitting = {"ts": 1, "artist": "ééa", "code": "abc"}
    assert fast.read(json.dumps(fitting, ensure_ascii=escape).encode())[0][:2] == ("ééa", "abc")


def test_numbers_in_strings_are_learned():
    """A blank is NULL, unless the column is NOT NULL; the exact reader reads strings that are not numbers."""
    exact = reader(ConversionOptions(), "auto")
    fast = FastReader(exact)
    quoted = line(ts="7", userid="8")
    fast.learn(quoted, exact.read(quoted))
    assert fast.read is not None
    (ts, userid) = (NAMES.index("ts"), NAMES.index("userid"))
    (row,) = fast.read(line(ts="12", userid=""))
    assert (row[ts], row[userid]) == (12, None)
    for wrong in ({"ts": ""}, {"userid": "1x"}, {"userid": "\u0661"}, {"userid": "1_0"}):
        with pytest.raises(FallbackError):
            fast.read(line(**{"ts": "12", **wrong}))


class Collected:
    """The rows and the rejected rows of a file."""

    def __init__(
        self, content: bytes, conversion: ConversionOptions, mode: str, *, fast: bool = True, size: int = 1 << 20
    ):
        self.rows: list[list[Any]] = []
        self.rejects: list[RejectedRow] = []

        def emit(rows: Iterable[Sequence[Value]]) -> None:
            self.rows += map(list, rows)

        self.reader = FileReader(reader(conversion, mode), emit, self.rejects.append)
        if not fast:
            self.reader._fast.read = None
        self.reader.read("s3://b/k", [content[at : at + size] for at in range(0, len(content), size)])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Collected) and repr((self.rows, self.rejects)) == repr((other.rows, other.rejects))

    __hash__ = None  # type: ignore[assignment]


JUNK = st.sampled_from(
    [b"junk", b"{", b'{"ts": 1', b'{"artist": "cut', b"[1]", b"", b" ", b"\r", b"}", b'{"ts": 1} {"ts": 2}']
)


@settings(max_examples=300)
@given(
    st.lists(records() | JUNK, max_size=8),
    CONVERSIONS,
    MODES,
    st.integers(1, 50),
    st.sampled_from([b"\n", b"\r\n", b"\n\n"]),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
def test_a_file_reads_the_same_fast_slow_and_in_pieces(
    lines: list[bytes], conversion: ConversionOptions, mode: str, size: int, separator: bytes, mark: bytes
):
    content = mark + separator.join(lines)
    whole = Collected(content, conversion, mode)
    assert whole == Collected(content, conversion, mode, fast=False)
    assert whole == Collected(content, conversion, mode, size=size)


def line(**members: object) -> bytes:
    return json.dumps({"ts": 1, **members}).encode()


class Learning:
    """A fast reader that learns from the exact reader."""

    def __init__(self, mode: str) -> None:
        self.exact = reader(ConversionOptions(), mode)
        self.fast = FastReader(self.exact)

    def read(self, *lines: bytes) -> list[Any]:
        assert self.fast.read is not None
        return [list(row) for row in self.fast.read(b"\n".join(lines))]

    def learn(self, line: bytes) -> None:
        self.fast.learn(line, self.exact.read(line))


@pytest.mark.parametrize("mode", ["auto", "ignorecase", "paths"])
def test_strings_in_a_number_column_are_learned(mode: str):
    """The public event log has userId as a string: after the first such record the fast reader supports it."""
    it = Learning(mode)
    with pytest.raises(ValueError, match="Expected `int"):
        it.read(line(userid="39"))
    it.learn(line(userid="39"))
    assert [row[3] for row in it.read(line(userid="40"), line(userid=""), line(userid=None))] == [40, None, None]
    for other in ("12345678901", " 1", "+1", "1_0", "٣"):
        with pytest.raises(ValueError, match=r"Expected `str` of length|^$"):
            it.read(line(userid="41"), line(userid=other))
    with pytest.raises(ValueError, match="Expected `str"):
        it.read(line(userid=42))
    it.learn(line(userid=42))
    assert [row[3] for row in it.read(line(userid="40"), line(userid=43))] == [40, 43]


def test_long_texts_are_learned():
    """A text of a quarter of the column's bytes always fits; the bytes of longer ones are counted."""
    it = Learning("auto")
    assert it.read(line(artist="a"))[0][0] == "a"
    with pytest.raises(ValueError, match="length <= 1"):
        it.read(line(artist="abc"))
    it.learn(line(artist="abc"))
    assert [row[0] for row in it.read(line(artist="abc"), line(artist="äöü"))] == ["abc", "äöü"]
    with pytest.raises(FallbackError):
        it.read(line(artist="abc"), line(artist="äöüa"))


def test_names_are_learned_with_ignorecase():
    it = Learning("ignorecase")
    with pytest.raises(ValueError, match="unknown field"):
        it.read(line(userId=1, More=2))
    it.learn(line(userId=1, More=2))
    assert it.read(line(userId=5))[0][3] == 5
    with pytest.raises(ValueError, match="unknown field"):  # another spelling is not a missing member
        it.read(line(USERID=6))
    it.learn(line(USERID=6))
    assert it.fast.read is None


def test_the_exact_reader_replaces_invalid_characters():
    """Some code points are invalid on Redshift, but well-formed UTF-8."""
    fast = FastReader(reader(ConversionOptions(acceptinvchars="?"), "auto"))
    assert fast.read is not None
    for escape in (True, False):
        with pytest.raises(FallbackError):
            fast.read(json.dumps({"ts": 1, "artist": "\ufdd0"}, ensure_ascii=escape).encode())


def test_the_exact_reader_reads_deep_paths():
    exact = RecordReader(COLUMNS[:1], ConversionOptions(), paths=[Path(("a", "b"))])
    assert FastReader(exact).read is None
    assert exact.read(b'{"a": {"b": "x"}}') == ["x"]


def test_a_line_longer_than_memory_is_read_in_pieces():
    """Objects without line breaks between them: the reader must not wait for one."""
    one = line(artist="x")
    collected = Collected(one * 60_000, ConversionOptions(), "auto", size=1 << 18)
    assert len(collected.rows) == 60_000
    assert collected.rejects == []


def test_line_numbers_after_any_layout():
    content = b'{"ts": 1}\n{\n"ts": 2\n}\n\n{"ts": "x"}\n' + b'{"ts": 3}\n' * 3 + b'{"ts": "y"}'
    collected = Collected(content, ConversionOptions(), "auto")
    assert [row.line_number for row in collected.rejects] == [6, 10]
    assert [row[4] for row in collected.rows] == [1, 2, 3, 3, 3]


def test_a_rejected_record_does_not_affect_its_block(monkeypatch):
    """Blocks end with lines; an unsupported block is read line by line."""
    monkeypatch.setattr("sparkify.warehouse.postgres.copy.files._BLOCK", 40)
    content = b"".join(b'{"ts": %d}\n' % number if number % 7 else b'{"ts": "x"}\n' for number in range(100))
    collected = Collected(content, ConversionOptions(), "auto")
    assert [row[4] for row in collected.rows] == [number for number in range(100) if number % 7]
    assert [row.line_number for row in collected.rejects] == [number + 1 for number in range(0, 100, 7)]
