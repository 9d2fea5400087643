"""COPY into a real PostgreSQL: mappings, types and layouts."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import psycopg
import pytest

from sparkify.warehouse import CopyFailedError

if TYPE_CHECKING:
    from conftest import Loader

CATEGORY = "catid int, catgroup varchar(10), catname varchar(10), catdesc varchar(50)"
CATEGORIES = [
    (1, "Sports", "MLB", "Major League Baseball"),
    (2, "Sports", "NHL", "National Hockey League"),
    (3, "Sports", "NFL", "National Football League"),
]
NUMBERS = ("one", "two", "three", "four")
NAMES = ("catid", "catgroup", "catname", "catdesc")


def category(names: tuple[str, ...] = NAMES, **more: object) -> str:
    """Return objects in the layout of AWS's examples: over several lines, two of them without a separator."""
    one, two, three = (json.dumps({**dict(zip(names, row, strict=True)), **more}, indent=4) for row in CATEGORIES)
    return f"{one}\n{two}{three}\n"


# "COPY from JSON examples", one by one.
@pytest.mark.parametrize(
    ("content", "format", "paths"),
    [
        pytest.param(category(bogus="Bogus Sports LLC"), "JSON 'auto'", None, id="auto"),
        pytest.param(category(("CatID", "CatGroup", "CATNAME", "catDesc")), "JSON 'auto ignorecase'", None, id="case"),
        pytest.param(category(NUMBERS), "", [f"$['{name}']" for name in NUMBERS], id="paths"),
        pytest.param(category(NUMBERS), "", [f"$.{name}" for name in NUMBERS], id="dots"),
        pytest.param("\n".join(map(json.dumps, CATEGORIES)), "", ["$[0]", "$[1]", "$[2]", "$[3]"], id="arrays"),
    ],
)  # fmt: skip
def test_aws_examples(loader: Loader, content: str, format: str, paths: list[str] | None):
    loader.table(CATEGORY)
    loader.put("category.json", content)
    if paths:
        url = loader.put("paths/category_jsonpath.json", json.dumps({"jsonpaths": paths}))
        format = f"JSON '{url}'"
    result = loader.copy("category", format=format)
    assert loader.rows() == CATEGORIES
    assert (result.rows, result.rejected) == (3, 0)


def test_auto_matches_case_and_ignores_other_names(loader: Loader):
    loader.table("artist varchar(9), itemInSession int")
    loader.put_lines("data", {"artist": "a", "itemInSession": 1}, {"Artist": "b", "iteminsession": 2})
    loader.copy("data")
    assert set(loader.rows()) == {("a", None), (None, 2)}


def test_ignorecase_keeps_track_of_every_spelling(loader: Loader):
    loader.table("userid int, artist varchar(9)")
    spellings = ["userId"] * 5 + ["USERID", "userid"] * 3 + ["userId"] * 5
    loader.put_lines("data", *({name: number, "Other": 0} for number, name in enumerate(spellings)))
    loader.copy("data", format="JSON 'auto ignorecase'")
    assert loader.rows() == [(number, None) for number in range(16)]


def test_of_duplicate_names_the_last_is_loaded(loader: Loader):
    loader.table("a int")
    loader.put("data", '{"a": 1, "a": 2}\n{"a": 3, "a": "4"}\n')
    loader.copy("data")
    assert loader.rows() == [(2,), (4,)]


def test_jsonpaths_lead_deep_and_follow_the_column_list(loader: Loader):
    loader.table("id int, title varchar(20), tags varchar(30), first varchar(5)")
    loader.put_lines(
        "data/1", {"id": 7, "book": {"title": "Guide", "tags": ["x", "y"]}}, {"id": 8, "book": {"tags": [1]}}
    )
    url = loader.put("paths", json.dumps({"jsonpaths": ["$.book.tags[0]", "$.book.title", "$.book.tags", "$.id"]}))
    loader.copy("data/", table="t (first, title, tags, id)", format=f"JSON '{url}'")
    assert loader.rows() == [(7, "Guide", '["x", "y"]', "x"), (8, None, "[1]", "1")]


def test_a_jsonpaths_file_with_another_key_means_auto(loader: Loader):
    loader.table("a int")
    loader.put_lines("data", {"a": 1})
    url = loader.put("paths", '{"something": ["$.x", "$.y"]}')
    loader.copy("data", format=f"JSON '{url}'")
    assert loader.rows() == [(1,)]


def test_maxerror_does_not_apply_to_an_invalid_jsonpaths_file(loader: Loader):
    loader.table("a int, b int")
    loader.put_lines("data", {"a": 1})
    url = loader.put("paths", '{"jsonpaths": ["$.a", "$.b.*"]}')
    with pytest.raises(CopyFailedError, match=rf"{url}: jsonpaths\[1\], '\$.b.\*': .* at character 4"):
        loader.copy("data", "MAXERROR 100", format=f"JSON '{url}'")


def test_a_missing_jsonpaths_file(loader: Loader):
    loader.table("a int")
    with pytest.raises(CopyFailedError, match=f"s3://{loader.bucket}/none does not exist"):
        loader.copy("data", format=f"JSON 's3://{loader.bucket}/none'")


def test_defaults_are_for_columns_outside_the_list_only(loader: Loader):
    """A listed column without a matching field is loaded with NULL ("Data format parameters")."""
    loader.table("a int, b int DEFAULT 5, c int DEFAULT 6, id int GENERATED ALWAYS AS IDENTITY")
    loader.put_lines("data", {"a": 1, "c": 9, "id": 77})
    loader.copy("data", table="t (b, a)")
    loader.copy("data")
    assert loader.rows(order="id") == [(1, None, 6, 1), (1, None, 9, 2)]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("missing", 'relation "missing" does not exist'),
        ("other.t", 'relation "other.t" does not exist'),
        ("t (a, b)", 'column "b" of relation "t" does not exist'),
        ("t (id)", 'column "id" of "t" is generated'),
        ("v", "is not a table"),
        ("odd", 'column "b" has type jsonb, which the local engine does not support'),
    ],
)
def test_targets_that_cannot_be_loaded(loader: Loader, table: str, message: str):
    loader.table("a int, id int GENERATED ALWAYS AS IDENTITY")
    loader.table("a int, b jsonb", "odd")
    loader.connection.execute("CREATE VIEW v AS SELECT a FROM t")
    loader.put_lines("data", {"a": 1})
    with pytest.raises(CopyFailedError, match=message):
        loader.copy("data", table=table)


def test_quoted_qualified_and_temporary_tables(loader: Loader):
    loader.connection.execute('CREATE SCHEMA "order"')
    loader.table('"select" int', '"order"."my table"')
    loader.connection.execute('CREATE TEMP TABLE landing (LIKE "order"."my table")')
    loader.put_lines("data", {"select": 1})
    loader.copy("data", table='"Order"."My Table" ("SELECT")')  # quoted names fold to lower case, too
    loader.copy("data", table="landing")
    assert loader.rows('"order"."my table"') == loader.rows("landing") == [(1,)]


def test_every_type(loader: Loader):
    loader.table(
        "i2 smallint, i4 int, i8 bigint, n numeric(8,2), f4 real, f8 double precision, b boolean, c char(3), "
        "v varchar(9), d date, ts timestamp, tz timestamptz"
    )
    native = {
        "i2": -1, "i4": 2, "i8": 2**62, "n": 20.259, "f4": 1.5, "f8": 0.1, "b": True, "c": "ab", "v": "é",
        "d": "2018-11-01", "ts": "2018-11-01 21:01:46.25", "tz": "2018-11-01 21:01:46-08:00",
    }  # fmt: skip
    text = {name: str(value).lower() for name, value in native.items()}
    loader.put_lines("data/1", native, text, dict.fromkeys(native), dict.fromkeys(native, ""), {})
    loader.copy("data")
    loaded = (
        -1, 2, 2**62, Decimal("20.25"), 1.5, 0.1, True, "ab ", "é", date(2018, 11, 1),
        datetime(2018, 11, 1, 21, 1, 46, 250_000, UTC).replace(tzinfo=None),
        datetime(2018, 11, 2, 5, 1, 46, tzinfo=UTC),
    )  # fmt: skip
    nulls = (None,) * 12
    empty = (None,) * 7 + ("   ", "") + (None,) * 3
    assert sorted(loader.rows(), key=repr) == sorted([loaded, loaded, nulls, nulls, empty], key=repr)


@pytest.mark.parametrize(
    ("timeformat", "value"),
    [("epochmillisecs", 1541105830796), ("epochmillisecs", "1541105830796"), ("epochmillisecs", 1541105830796.0)],
)
def test_epochs(loader: Loader, timeformat: str, value: object):
    loader.table("ts timestamp, tz timestamptz")
    loader.put_lines("data", {"ts": value, "tz": value})
    loader.copy("data", f"TIMEFORMAT '{timeformat}'")
    moment = datetime(2018, 11, 1, 20, 57, 10, 796_000, UTC)
    assert loader.rows() == [(moment.replace(tzinfo=None), moment)]


def test_a_type_without_a_length_has_redshifts(loader: Loader):
    """TEXT is VARCHAR(256) on Redshift, NUMERIC is NUMERIC(18, 0)."""
    loader.table("a text, n numeric")
    loader.put_lines("data", {"a": "x" * 256, "n": 1.9})
    loader.put_lines("long", {"a": "x" * 257})
    loader.copy("data")
    assert loader.rows() == [("x" * 256, Decimal(1))]
    with pytest.raises(CopyFailedError, match=r"column a \(varchar\(256\)\): String length .* 257 bytes"):
        loader.copy("long")


def test_blanks_past_the_end_of_a_column_are_cut(loader: Loader):
    """As INSERT does: https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html ."""
    loader.table("id int, v varchar(4), c char(3)")
    texts = [("abcd   ", "abc  "), ("éé ", "ab "), ("é    ", "a    "), (" " * 9, " " * 9)]
    records = [{"id": number, "v": v, "c": c} for number, (v, c) in enumerate(texts * 50)]  # the fast reader learns
    loader.put_lines("data/good", *records)
    loader.put_lines(
        "data/other", {"id": 900, "v": "abcd x"}, {"id": 901, "v": "abcd\t"}, {"id": 902, "c": "abc\u00a0"}
    )
    result = loader.copy("data/", "MAXERROR 9")
    assert [row.error_code for row in result.rejects] == [1204, 1204, 1220]
    loaded = [("abcd", "abc"), ("éé", "ab "), ("é  ", "a  "), ("    ", "   ")]
    assert [row[1:] for row in loader.rows()] == loaded * 50


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": 1}\n{"a": 2}\n{"a": 3}\n',
        b'{"a": 1}\n{"a": 2}\n{"a": 3}',
        b'{"a": 1}\r\n\r\n{"a": 2}\r\n{"a": 3}\r\n',
        b'{"a": 1}{"a": 2} {"a": 3}',
        b'{\n "a": 1\n}\n{\n "a": 2}{"a":\n3}',
        b'\xef\xbb\xbf{"a": 1}\n  \n\t{"a": 2}\n{"a": 3}\n\n',
    ],
)
def test_layouts(loader: Loader, content: bytes):
    loader.table("a int")
    loader.put("data", content)
    loader.copy("data")
    assert loader.rows() == [(1,), (2,), (3,)]


def test_large_file_with_records_across_every_boundary(loader: Loader):
    """3 MB come in several pieces; strings of many lengths put their cuts everywhere."""
    loader.table("id int, text varchar(400)")
    records = [{"id": n, "text": 'é\\"{' * (n % 50)} for n in range(20_000)]
    result = loader.copy(loader.put_lines("data", *records))
    assert result.rows == 20_000
    assert loader.rows() == [(record["id"], record["text"]) for record in records]


def test_constraints_of_the_table_fail_the_copy(loader: Loader):
    loader.table("a int PRIMARY KEY")
    loader.put_lines("data", {"a": 1}, {"a": 1})
    with pytest.raises(CopyFailedError, match='duplicate key value violates unique constraint "t_pkey"'):
        loader.copy("data")
    assert loader.rows() == []


def test_a_conflict_with_another_transaction_is_left_to_the_caller(loader: Loader):
    loader.table("a int")
    loader.put_lines("data", {"a": 1})
    loader.connection.execute("SET lock_timeout = '50ms'")
    with psycopg.connect(loader.uri) as other:
        other.execute("LOCK TABLE t")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            loader.copy("data")
