"""JSONPaths files ("Data format parameters", JSONPaths file)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkify.warehouse import CopyFailedError
from sparkify.warehouse.postgres.copy.errors import RecordError
from sparkify.warehouse.postgres.copy.jsonpaths import Path, read_jsonpaths

URL = "s3://bucket/paths.json"


def file(*paths: object) -> bytes:
    return json.dumps({"jsonpaths": paths}).encode()


@pytest.mark.parametrize(
    ("expression", "steps"),
    [
        ("$['id']", ("id",)),
        ("$['store']['book']['title']", ("store", "book", "title")),
        ("$['location'][0]", ("location", 0)),
        ("$[3]", (3,)),
        ("$[0]['a']", (0, "a")),
        ("$['a.b c']", ("a.b c",)),
        ("$.id", ("id",)),
        ("$.store.book.title", ("store", "book", "title")),
        ("$.location[0].x", ("location", 0, "x")),
        ("$.firstName", ("firstName",)),
    ],
)
def test_expression(expression: str, steps: tuple[str | int, ...]):
    assert read_jsonpaths(file(expression), URL, 1) == (Path(steps),)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"jsonpaths": ["$.a"', "not one well-formed JSON object"),
        (b'{"jsonpaths": ["$.a"]} {}', "not one well-formed JSON object"),
        (b'{"jsonpaths": ["$.\xff"]}', "not one well-formed JSON object"),
        (b'["$.a"]', "must contain one JSON object"),
        (b'{"jsonpaths": "$.a"}', "must be an array"),
        (file("$.a", ""), r"jsonpaths\[1\] must be a non-empty string"),
        (file("$.a", 5), r"jsonpaths\[1\] must be a non-empty string"),
        (file("$.a", "b"), r"jsonpaths\[1\], 'b': must begin with \$"),
        (file("$.a", "$"), "must name an element below the root"),
        (file("$.a", "$.b.*"), "at character 4"),
        (file("$.a", "$..b"), "at character 2"),
        (file("$[0]", "$['b'][*]"), "at character 7"),
        (file("$.a", "$.b[?(@.c>1)]"), "at character 4"),
        (file("$.a", "$.b[-1]"), "at character 4"),
        (file("$.a", '$["b"]'), "at character 2"),
        (file("$.a", "$['b']"), "cannot be mixed"),
        (file("$.a['b']", "$.c"), "cannot be mixed"),
        (file("$.a"), r"number of JSONPath expressions \(1\) must be the number of columns \(2\)"),
        (file("$.a", "$.b", "$.c"), r"expressions \(3\)"),
    ],
)
def test_the_error_of_an_invalid_file_has_its_url_and_the_position(content: bytes, message: str):
    with pytest.raises(CopyFailedError, match=message) as failure:
        read_jsonpaths(content, URL, 2)
    assert URL in str(failure.value)


def test_a_file_with_another_key_is_ignored():
    assert read_jsonpaths(b'{"paths": ["$.a"]}', URL, 5) is None


RECORD = b'{"a": {"b": [10, {"c": "x"}], "n": null}, "t": 1.50}'


@pytest.mark.parametrize(
    ("steps", "token"),
    [
        (("t",), b"1.50"),
        (("a", "b", 0), b"10"),
        (("a", "b", 1, "c"), b'"x"'),
        (("a", "b"), b'[10, {"c": "x"}]'),
        (("a", "n"), b"null"),
        (("missing",), None),
        (("a", "missing"), None),
        (("missing", "deeper"), None),
    ],
)
def test_find(steps: tuple[str | int, ...], token: bytes | None):
    assert Path(steps).find(RECORD) == token


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (("a", "b", 2), "Not an array or index out of range"),
        (("a", 0), "Not an array or index out of range"),
        ((0,), "Not an array or index out of range"),
        (("t", "x"), "Member is not an object"),
        (("a", "n", "x"), "Member is not an object"),
    ],
)
def test_find_through_a_value_of_another_type(steps: tuple[str | int, ...], message: str):
    with pytest.raises(RecordError, match=message):
        Path(steps).find(RECORD)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


@given(VALUES, st.lists(st.sampled_from("abc") | st.integers(0, 2), min_size=1, max_size=4))
def test_find_returns_what_python_finds(value: object, steps: list[str | int]):
    expected = value
    try:
        for step in steps:
            if isinstance(step, str):
                if not isinstance(expected, dict):
                    raise TypeError
                if step not in expected:
                    assert Path(tuple(steps)).find(json.dumps(value).encode()) is None
                    return
                expected = expected[step]
            elif isinstance(expected, list):
                expected = expected[step]
            else:
                raise TypeError
    except (TypeError, IndexError):
        with pytest.raises(RecordError):
            Path(tuple(steps)).find(json.dumps(value).encode())
    else:
        token = Path(tuple(steps)).find(json.dumps(value).encode())
        assert token is not None
        assert json.loads(token) == expected
