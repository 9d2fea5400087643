"""The sample of a source: which records are found in parts of files, and how their members are counted."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkify.s3 import S3Object
from sparkify.staging.sampling import MAX_FIELDS, Limit, Record, count, parse, sample, spread

MODIFIED = datetime(2018, 11, 1, tzinfo=UTC)

names = st.sampled_from(["a", "b", "C", "c"])
values: st.SearchStrategy[Any] = st.sampled_from([None, "", "x", 1, 1.5, True, False, [], {}, {"nested": 1}])
records = st.lists(st.dictionaries(names, values), max_size=12)


class Files:
    """A bucket in memory that counts what is read."""

    def __init__(self, **contents: bytes) -> None:
        self.contents = contents
        self.parts: list[str | None] = []
        self.read = 0

    @property
    def objects(self) -> list[S3Object]:
        return [S3Object("b", key, len(body), "etag") for key, body in self.contents.items()]

    def read_part(self, item: S3Object, part: str | None) -> tuple[bytes, datetime] | None:
        body = self.contents[item.key]
        if part:
            start, _, end = part.removeprefix("bytes=").partition("-")
            body = body[: int(end) + 1] if start else body[-int(end) :]
        self.parts.append(part)
        self.read += len(body)
        return body, MODIFIED


def fields(files: Files, size: int = 64_000, most: int = 4, **options: Any) -> dict[tuple[str, str], tuple[int, int]]:
    """Return number of occurrences and line of the example by name and type."""
    found = sample(files, files.objects, Limit(size, most), str, **{"gzip": False, **options})  # type: ignore[arg-type]
    return {(item.name, item.type): (item.occurrences, item.line) for item in found}


def kind(value: Any) -> str:
    if value == "" and isinstance(value, str):
        return "empty"
    return {
        "NoneType": "null", "str": "string", "int": "number", "float": "number", "bool": "boolean", "list": "array",
        "dict": "object",
    }[type(value).__name__]  # fmt: skip


@given(records)
def test_each_member_is_counted_once_per_record(members: list[dict[str, Any]]) -> None:
    found = count((Record("f", line, MODIFIED, item) for line, item in enumerate(members, 1)), str)
    expected: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], int] = {}
    for name in {name for item in members for name in item}:
        for line, item in enumerate(members, 1):
            key = (name, kind(item[name]) if name in item else "missing")
            expected[key] += 1
            first.setdefault(key, line)
    assert {(item.name, item.type): item.occurrences for item in found} == expected
    assert {(item.name, item.type): item.line for item in found} == first


def test_spellings_are_one_member_if_copy_ignores_case() -> None:
    found = count([Record("f", 1, MODIFIED, {"userId": 1}), Record("f", 2, MODIFIED, {"userid": 2})], str.lower)
    assert [(item.name, item.type, item.occurrences) for item in found] == [("userId", "number", 2)]


def test_first_and_last_seen_are_the_files_modifications() -> None:
    days = [MODIFIED + number * timedelta(days=1) for number in (2, 1, 3)]
    (found,) = count([Record(f"{day}", 1, day, {"a": 1}) for day in days], str)
    assert (found.first_seen, found.last_seen, found.file) == (days[1], days[2], f"{days[0]}")


def test_the_number_of_members_is_limited(caplog: pytest.LogCaptureFixture) -> None:
    found = count([Record("f", 1, MODIFIED, {str(number): 1 for number in range(MAX_FIELDS + 5)})], str)
    assert len(found) == MAX_FIELDS
    assert f"has {MAX_FIELDS + 5} members" in caplog.text


@pytest.mark.parametrize(
    ("text", "expected", "is_lines"),
    [
        ('{"a": 1}\n{"a": 2}\n', [(1, 1), (2, 2)], True),
        ('{"a": 1}\r\n\r\n{"a": 2}', [(1, 1), (3, 2)], True),
        ('{"a": 1}{"a": 2} {"a": 3}\n{"a": 4}', [(1, 1), (1, 2), (1, 3), (2, 4)], True),
        ('{"a": 1}\n{"a": \n{"a": 3}\n{"a": "cut', [(1, 1), (3, 3)], True),
        ('{"a": "\\u2028", "a": 1}\n{"a": "\u2028", "a": 2}', [(1, 1), (2, 2)], True),
        ('{\n  "a": 1\n}\n\n{\n  "a": 2,\n  "b": [\n{"a": 9}\n]\n}', [(1, 1), (5, 2)], False),
        ('\n\n{\n"a": 1}{"a": 2}\n{"a": ', [(3, 1), (4, 2)], False),
        ("", [], True),
        ("no JSON", [], True),
        ('[{"a": 1}]', [], True),
        ('{"a": ' + "[" * 100_000, [], True),
    ],
)
def test_records_of_the_beginning_of_a_file(text: str, expected: list[tuple[int, int]], is_lines: bool) -> None:
    found, lines = parse(text)
    assert [(line, members["a"]) for line, members in found] == expected
    assert lines is is_lines


@given(st.text())
def test_no_text_raises(text: str) -> None:
    parse(text)


@given(records, st.integers(0, 400), st.sampled_from([None, 2]))
def test_a_cut_file_has_the_records_before_the_cut(members: list[dict[str, Any]], at: int, indent: int | None) -> None:
    text = "\n".join(json.dumps(item, indent=indent) for item in members)
    found, _ = parse(text[:at])
    assert [item for _, item in found] == members[: len(found)]


def test_a_small_file_is_read_whole_with_its_lines() -> None:
    files = Files(one=b'\xef\xbb\xbf{"a": 1}\n{"a": "x"}\n{"b": null}')
    assert fields(files) == {
        ("a", "number"): (1, 1), ("a", "string"): (1, 2), ("a", "missing"): (1, 3), ("b", "missing"): (2, 1),
        ("b", "null"): (1, 3),
    }  # fmt: skip
    assert files.parts == [None]


def test_of_a_large_file_both_ends_are_read() -> None:
    lines = [f'{{"number": {number + 100_000}}}' for number in range(1000)]
    lines[-1] = '{"renamed": 1}'
    files = Files(one="\n".join(lines).encode())
    found = fields(files, size=1_000)
    assert sorted(files.parts, key=str) == ["bytes=-500", "bytes=0-499"]
    assert files.read == 1_000
    assert found["number", "number"][1] == 1
    assert found["renamed", "number"] == (1, 0)  # the line of the end is unknown
    assert found["renamed", "missing"][1] == 1


def test_the_end_of_a_file_that_has_no_record_per_line_is_not_used() -> None:
    objects = [json.dumps({"a": number, "nested": [{"b": 1}]}, indent=0) for number in range(100)]
    found = fields(Files(one="\n".join(objects).encode()), size=1_000)
    assert set(found) == {("a", "number"), ("nested", "array")}


def test_of_a_compressed_file_the_beginning_is_read() -> None:
    body = "\n".join(f'{{"a": "{number * 7919 % 1000}"}}' for number in range(10_000)).encode()
    files = Files(one=gzip.compress(body))
    (((name, of_type), (occurrences, line)),) = fields(files, size=1_000, gzip=True).items()
    assert files.parts == ["bytes=0-999"]
    assert (name, of_type, line) == ("a", "string", 1)
    assert 50 < occurrences < 1_000


def test_a_corrupt_compressed_file_has_no_fields() -> None:
    assert fields(Files(one=b"no gzip"), gzip=True) == {}


@given(st.lists(st.integers(0, 5_000), max_size=20), st.integers(100, 10_000), st.integers(1, 8), st.booleans())
def test_the_limits_hold_for_any_files(sizes: list[int], size: int, most: int, compressed: bool) -> None:
    files = Files(**{f"f{number:02}": b" " * length for number, length in enumerate(sizes)})
    fields(files, size, most, gzip=compressed)
    assert files.read <= size
    assert len(files.parts) <= 2 * most


@given(st.integers(0, 200), st.integers(1, 64))
def test_a_spread_has_the_first_and_the_last_item(total: int, most: int) -> None:
    found = spread(range(total), most)
    assert len(found) == min(total, most)
    assert found == sorted(set(found))
    if total and most > 1:
        assert (found[0], found[-1]) == (0, total - 1)
