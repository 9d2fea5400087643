"""Splitting bytes into records ("Data format parameters", JSON data file)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparkify.warehouse import CopyFailedError
from sparkify.warehouse.postgres.copy.scanner import MAX_BYTES, RawRecord, RecordScanner


def scan(data: bytes, size: int | None = None) -> list[RawRecord]:
    """Feed ``data`` in pieces of ``size`` bytes and return what the scanner finds."""
    scanner = RecordScanner("s3://b/k")
    found: list[RawRecord] = []
    for start in range(0, len(data), size or max(len(data), 1)):
        found += scanner.feed(data[start : start + (size or len(data))])
    return found + list(scanner.feed(b"", final=True))


def shape(records: list[RawRecord]) -> list[tuple[bytes, int] | str]:
    """Return the raw text and the line of each record, or the reason of its error."""
    return [record.error.reason if record.error else (record.raw, record.line) for record in records]


@pytest.mark.parametrize("size", [None, 1, 3, 7])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b" \r\n\t\n", []),
        (b'{"a":1}', [(b'{"a":1}', 1)]),
        (b'{"a":1}\n{"a":2}\n', [(b'{"a":1}', 1), (b'{"a":2}', 2)]),
        (b'{"a":1}\r\n\r\n{"a":2}\r\n', [(b'{"a":1}', 1), (b'{"a":2}', 3)]),
        (b'{"a":1}{"a":2} [3]', [(b'{"a":1}', 1), (b'{"a":2}', 1), (b"[3]", 1)]),
        # The line is the last one of the object.
        (b'\n{\n "a": 1\n}{\n"b":2}\n', [(b'{\n "a": 1\n}', 4), (b'{\n"b":2}', 5)]),
        (b'{"a":"}]{[ \\" \\\\"}', [(b'{"a":"}]{[ \\" \\\\"}', 1)]),
        (b'{"a":[{"b":[]},{}]}', [(b'{"a":[{"b":[]},{}]}', 1)]),
    ],
)
def test_records(data: bytes, expected: list[tuple[bytes, int]], size: int | None):
    assert shape(scan(data, size)) == expected


JUNK = "Invalid value: characters other than white space outside a JSON object"


@pytest.mark.parametrize("size", [None, 1, 3, 7])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"junk", [JUNK]),
        (b"junk\nmore junk\n{}", [JUNK, JUNK, (b"{}", 3)]),
        (b'{"a":1},{"a":2}', [(b'{"a":1}', 1), JUNK, (b'{"a":2}', 1)]),
        (b'junk {"a":1} junk\n{"a":2}', [JUNK, (b'{"a":1}', 1), JUNK, (b'{"a":2}', 2)]),
        (b'123\n"text"\nnull\n{}', [JUNK, JUNK, JUNK, (b"{}", 4)]),
        (b"}\n{}", [JUNK, (b"{}", 2)]),
        # A string cannot span lines, so the record ends with its line.
        (b'{"a":"cut\n{"a":2}\n', ["Invalid value: a string is not closed", (b'{"a":2}', 2)]),
        (b'{"a":[1}\n{"a":2}\n', ["Invalid value: brackets do not match", (b'{"a":2}', 2)]),
        # The valid lines after a truncated record are loaded.
        (
            b'{"a":1,"b":\n{"a":2}\n{"a":3}\n',
            ["Invalid value: a comma is missing", (b'{"a":2}', 2), (b'{"a":3}', 3)],
        ),
        (b'{"a":1,\n{"a":2}\n', ["Invalid value: the object is not closed", (b'{"a":2}', 2)]),
        (b'{"a":1', ["Invalid value: the object is not closed"]),
        # A malformed object over several lines is one error; the next object is found.
        (b'{\n  "a": [1}\n}\n{\n  "a": 2\n}\n', ["Invalid value: brackets do not match", (b'{\n  "a": 2\n}', 6)]),
        (b'  {\n    "a": "x\n  }\n  {"b": 1}', ["Invalid value: a string is not closed", (b'{"b": 1}', 4)]),
    ],
)
def test_errors_are_reported_and_the_next_record_is_found(data: bytes, expected: list[object], size: int | None):
    assert shape(scan(data, size)) == expected


def test_position_of_an_error():
    (record,) = scan(b'\n\n{"a": [1}')
    assert record.error
    assert (record.line, record.error.position) == (3, 8)


def test_skip_line_skips_the_rest_of_an_invalid_line():
    scanner = RecordScanner("s3://b/k")
    found = []
    for record in scanner.feed(b'{"a": x} } junk\n{"a":2}\n'):
        found.append(record.raw)
        if b"x" in record.raw:
            scanner.skip_line()
    assert found == [b'{"a": x}', b'{"a":2}']
    assert scanner.idle
    assert scanner.line == 3


def test_an_object_over_four_megabytes_fails_the_copy():
    fits = b'{"a":"' + b"x" * (MAX_BYTES - 8) + b'"}'
    assert [len(record.raw) for record in scan(fits, 1 << 20)] == [MAX_BYTES]
    for data in (fits.replace(b'"}', b'x"}'), fits[:-2] + b"x" * 2_000_000):
        with pytest.raises(CopyFailedError, match=r"s3://b/k line 1: .* larger than 4 MB"):
            scan(data, 1 << 20)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
ROOTS = st.lists(JSON, max_size=4) | st.dictionaries(st.text(), JSON, max_size=4)


@settings(max_examples=200)
@given(st.data(), st.lists(ROOTS, max_size=5), st.integers(1, 40))
def test_any_layout_in_any_pieces(data: st.DataObject, roots: list[object], size: int):
    """The scanner finds each record in any layout and any pieces, with the number of its last line."""
    text = ""
    lines = []
    for root in roots:
        text += json.dumps(root, ensure_ascii=data.draw(st.booleans()), indent=data.draw(st.sampled_from([None, 0, 2])))
        lines.append(text.count("\n") + 1)
        text += data.draw(st.sampled_from(["", " ", "\n", "\r\n", "\n\n\t"]))
    found = scan(text.encode(errors="replace"), size)
    assert [record.error for record in found] == [None] * len(roots)
    assert [json.loads(record.raw) for record in found] == json.loads(
        json.dumps(roots, ensure_ascii=False).encode(errors="replace")
    ) or any("\ud800" <= character <= "\udfff" for character in text)
    assert [record.line for record in found] == lines


@settings(max_examples=200)
@given(
    st.lists(st.sampled_from([b"{", b"}", b"[", b"]", b'"', b"\\", b",", b":", b"\n", b" ", b"a", b"1"]), max_size=40)
)
def test_pieces_do_not_change_what_is_found(tokens: list[bytes]):
    """Invalid data never loops, and is split the same way in any pieces."""
    data = b"".join(tokens)
    whole = [(d.raw, d.line, d.error is None) for d in scan(data) if not d.error]
    assert [(d.raw, d.line, d.error is None) for d in scan(data, 1) if not d.error] == whole
    assert len(scan(data, 1)) == len(scan(data))
