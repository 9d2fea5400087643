"""How the sampled fields of a source are compared with the declared ones."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkify.interval import Interval
from sparkify.quality.declaration import DeclarationError, parse
from sparkify.quality.kinds.fields import Fields, SampledValues
from sparkify.quality.kinds.kind import CheckedRows, Evaluation

HOUR = Interval.parse("2018-11-08T05:00", "2018-11-08T06:00")
TODAY, YESTERDAY = datetime(2018, 11, 8), datetime(2018, 11, 7)  # noqa: DTZ001 - as the databases have it
OPTIONS = {
    "period": "day",
    "declared": {
        "ts": {"types": ["number"], "severity": "error"},
        "userAgent": {"types": ["string"]},
        "song": {"types": ["string", "number"], "optional": True},
        "level": {"types": ["string"], "optional": True, "max_nulls": "10 %"},
        "actor": {"types": ["object"], "optional": True, "columns": ["actor_id", "actor_name"], "severity": "warn"},
    },
    "ignored": ["debug"],
    "max_increase": "20 %",
    "from": 50,
}


def seen(field: str, kind: str, occurrences: int = 100, line: int = 1, **values: Any) -> SampledValues:
    """Return values of today's file; the column is that of 'auto ignorecase'."""
    column = field.lower() if field.lower() in ("ts", "useragent", "song", "level") else None
    return SampledValues(1, TODAY, None, field, column, kind, occurrences, "s3://b/f.json", line)._replace(**values)


def before(field: str, kind: str, occurrences: int) -> SampledValues:
    return seen(field, kind, occurrences, is_checked=0, period_start=None, file="", line=0)


def evaluate(*values: SampledValues, **options: Any) -> Evaluation:
    """Evaluate values, together with those of the required fields."""
    given_fields = {item.field.lower() for item in values if item.is_checked}
    required = [seen("ts", "number"), seen("userAgent", "string")]
    kind = Fields.read({**OPTIONS, **options})
    rows = CheckedRows("staging_events", ("ts",), "interval_time", HOUR)
    return kind.evaluate([*values, *(item for item in required if item.field.lower() not in given_fields)], rows)


def test_declared_fields_pass() -> None:
    assert evaluate() == Evaluation(True, "5 fields in 100 sampled objects", "5 declared fields")


def test_no_sample_passes() -> None:
    kind = Fields.read(OPTIONS)
    assert kind.evaluate([before("ts", "number", 100)], CheckedRows("t", (), None, HOUR)).observed == "no new sample"


@pytest.mark.parametrize(
    ("values", "key", "text", "columns", "severity"),
    [
        ([seen("user_agent", "string", line=3)], "user_agent: new", "new, of type string", None, None),
        ([seen("other", "null")], "other: new", "new, of type null", None, None),
        ([seen("ts", "string", 1, 7), seen("ts", "number", 99)], "ts: type string",
         "of type string, expected number", "ts", "error"),
        ([seen("song", "boolean", 5)], "song: type boolean", "of type boolean, expected string or number", "song",
         None),
        ([seen("actor", "array", 5)], "actor: type array", "of type array, expected object", "actor_id, actor_name",
         "warn"),
        ([seen("userAgent", "missing", 40, 9), seen("userAgent", "string", 60)], "userAgent: partly missing",
         "missing in 40 of 100 sampled objects", "useragent", None),
        ([seen("ts", "missing", 1, 9), seen("ts", "number", 60)], "ts: partly missing",
         "missing in 1 of 61 sampled objects", "ts", None),
        ([seen("level", "null", 11, 4), seen("level", "string", 89)], "level: nulls",
         "NULL in 11 % of 100 sampled objects, expected at most 10 %", "level", None),
        ([seen("level", "empty", 6, 4), seen("level", "string", 4)], "level: nulls",
         "NULL in 60 % of 10 sampled objects, expected at most 10 %", "level", None),
        ([seen("song", "null", 60, 4), seen("song", "string", 40), before("song", "string", 60),
          before("song", "null", 40)], None, "", None, None),
        ([seen("song", "null", 61, 4), seen("song", "string", 39), before("song", "string", 60),
          before("song", "null", 40)], "song: nulls", "NULL in 61 % of 100 sampled objects, 40 % before", "song", None),
        ([seen("song", "null", 100, 4), before("song", "string", 60)], "song: nulls",
         "NULL in 100 % of 100 sampled objects, 0 % before", "song", None),
        ([seen("song", "null", 49, 4), before("song", "string", 60)], None, "", None, None),
        ([seen("song", "null", 100, 4), before("song", "string", 49)], None, "", None, None),
        ([seen("song", "null", 100, 4)], None, "", None, None),
        ([seen("level", "null", 5, 4), seen("level", "string", 4)], None, "", None, None),
        ([seen("debug", "string")], None, "", None, None),
        ([seen("USERAGENT", "string")], None, "", None, None),
        ([seen("userAgent", "null")], None, "", None, None),
    ],
)  # fmt: skip
def test_problems(
    values: list[SampledValues], key: str | None, text: str, columns: str | None, severity: str | None
) -> None:
    found = evaluate(*values)
    assert found.passed is (key is None)
    if key:
        assert (found.problems, found.severity) == ((key,), severity)
        (row,) = found.sample
        field = key.partition(":")[0]
        example = next(
            item for item in values if item.type not in ("number", "string") or len(values) == 1 or item.line > 1
        )
        assert row == {
            "field": field, "problem": text, "columns": columns, "file": "s3://b/f.json", "line": example.line,
        }  # fmt: skip
        assert found.observed == f"{field} is {text} (s3://b/f.json line {example.line})"


def test_a_vanished_field_is_an_error_of_its_column() -> None:
    found = Fields.read(OPTIONS).evaluate(
        [seen("timestamp", "number"), seen("userAgent", "string", line=2)], CheckedRows("t", (), None, HOUR)
    )
    assert found.problems == ("timestamp: new", "ts: missing")
    assert found.severity == "error"
    assert [(row["field"], row["columns"], row["line"]) for row in found.sample] == [
        ("ts", "ts", 1),
        ("timestamp", None, 1),
    ]


def test_without_ignorecase_another_spelling_is_another_field() -> None:
    found = evaluate(seen("useragent", "string", column="useragent"), seen("USERAGENT", "string", column=None))
    assert found.problems == ("USERAGENT: new",)


def test_a_file_without_the_field_is_found_among_others() -> None:
    values = [
        seen("ts", "number"),
        seen("userAgent", "string"),
        seen("ts", "number", period_start=YESTERDAY, file="old"),
    ]
    found = evaluate(*values)
    assert found.problems == ("userAgent: missing",)
    assert found.sample[0]["file"] == "old"


def test_errors_come_first_and_warnings_last() -> None:
    found = evaluate(seen("new", "string"), seen("actor", "array"), seen("ts", "string"))
    assert [row["field"] for row in found.sample] == ["ts", "new", "actor"]
    assert evaluate(seen("actor", "array")).severity == "warn"
    assert evaluate(seen("actor", "array"), seen("new", "string")).severity is None


def test_many_problems_with_long_names_fit_the_column() -> None:
    found = evaluate(*(seen(f"{number}" + 255 * "é", "string", file=1_000 * "x") for number in range(9)))
    assert len(found.observed.encode()) <= 4_096
    assert len(found.problems) == 9
    assert evaluate(*(seen(f"new{number}", "string") for number in range(9))).observed.endswith("; and 4 more")


def batch(number: int, kind: str, occurrences: int) -> SampledValues:
    return seen("ts", kind, occurrences, period_start=None, batch_id=number)


@given(st.permutations([(4, "null", 30), (3, "number", 10), (3, "null", 20), (2, "number", 60), (1, "number", 90)]))
def test_without_periods_the_newest_batches_are_compared_with_the_others(rows: list[tuple[int, str, int]]) -> None:
    options = {**OPTIONS, "period": "all", "declared": {"ts": {"types": ["number"]}}}
    found = Fields.read(options).evaluate([batch(*row) for row in rows], CheckedRows("t", (), None, HOUR))
    assert found.sample[0]["problem"] == "NULL in 83 % of 60 sampled objects, 0 % before"


@pytest.mark.parametrize("period", ["day", "hour", "all"])
def test_the_history_is_bounded(period: str) -> None:
    kind = Fields.read({**OPTIONS, "period": period})
    select = kind.select(CheckedRows("staging_events", ("ts",), "interval_time", HOUR))
    if period == "all":
        assert "LIMIT 10000" in select
        return
    start = "00" if period == "day" else "05"
    assert f"f.period_start >= TIMESTAMP '2018-11-08 {start}:00:00.000000'" in select
    assert "f.period_start < TIMESTAMP '2018-11-08 06:00:00.000000'" in select
    assert f"h.period_start >= TIMESTAMP '2018-10-25 {start}:00:00.000000'" in select


def test_a_field_is_declared_or_ignored() -> None:
    assert Fields.read({**OPTIONS, "ignored": ["ts"]}).contradiction == "ts is declared and ignored"
    assert Fields.read(OPTIONS).contradiction is None


def test_the_columns_must_exist() -> None:
    assert Fields.read(OPTIONS).columns == ["ts", "useragent", "song", "level", "actor_id", "actor_name"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ("declared: {ts: string}", 'ts: expected A field with its options, such as {types: [string]}.; found "string"'),
        (
            "declared: {ts: {types: [text]}}",
            'types: expected one of array, boolean, number, object, string; found "text"',
        ),
        ("declared: {}", "declared: expected members by name; found {}"),
        ("declared: {ts: {types: [string]}}, ignored: [ts]", "fields: ts is declared and ignored"),
    ],
)
def test_invalid_options_are_reported_with_what_is_expected(options: str, problem: str) -> None:
    text = (
        "table: t\nkey: a\ninterval: i\nchecks:\n  - name: n\n    why: w\n    remedy: r\n"
        f"    fields: {{period: day, max_increase: 3 %, from: 5, {options}}}\n"
    )
    with pytest.raises(DeclarationError) as caught:
        parse(text, "x.yaml")
    assert str(caught.value) == f"x.yaml line 8: {problem}"
