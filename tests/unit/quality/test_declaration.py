"""Files of checks: what they may contain, and how their problems are reported."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sparkify.quality import schema
from sparkify.quality.declaration import DeclarationError, load, parse
from sparkify.quality.kinds import KINDS
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

CHECKS = ROOT / "include" / "checks"
HEAD = "table: songplays\nkey: songplay_id\ninterval: interval_time\nchecks:\n"
WORDS = "    why: w\n    remedy: r\n"
# The options of every kind.
OPTIONS: dict[str, Any] = {
    "not_null": ["user_id", "level"],
    "unique": "songplay_id",
    "accepted_values": {"column": "level", "values": ["free", None, 3]},
    "range": {"column": "duration", "min": 0, "max": 1.5},
    "plausible_time": "start_time",
    "relationship": {"column": "user_id", "to": "users.user_id"},
    "row_count": {"min": 1},
    "freshness": {"column": "start_time", "hours": 2.5},
    "volume": {"column": "start_time", "weeks": 4, "from": 100, "at_least": "20 %", "at_most": "500 %"},
    "agreement": {"with": "staging_events", "where": "page = 'x'", "interval": "ts", "key": "MD5(a)", "is": "id"},
    "rejected": {"period": "day"},
    "shrunk": {"period": "hour"},
    "fields": {
        "period": "day",
        "declared": {
            "userId": {"types": ["string"]},
            "n": {"types": ["number"], "severity": "error", "optional": True},
        },
        "ignored": ["x"],
        "max_increase": "20 %",
        "from": 50,
    },
    "sql": "SELECT 1 WHERE {{ scope('interval_time') }}",
}


def check(body: str, name: str = "a check") -> str:
    return f"  - name: {name}\n{WORDS}    {body}\n"


def problems(text: str) -> list[str]:
    with pytest.raises(DeclarationError) as caught:
        parse(text, "checks/x.yaml")
    return str(caught.value).splitlines()


def test_a_check_of_each_kind() -> None:
    assert set(OPTIONS) == set(KINDS)
    items = [{"name": kind, "why": "w", "remedy": "r", kind: options} for kind, options in OPTIONS.items()]
    document = {"table": "songplays", "key": ["a", "b"], "interval": "interval_time", "checks": items}
    checks = parse(yaml.safe_dump(document, sort_keys=False), "x.yaml")
    assert [type(item.kind) for item in checks] == [KINDS[name] for name in OPTIONS]
    for item, options in zip(checks, OPTIONS.values(), strict=True):
        written = msgspec.to_builtins(item.kind)
        if item.kind.shorthand:
            written = written[item.kind.shorthand]
        assert written in (options, [options])
    assert {(item.table, item.key, item.interval) for item in checks} == {("songplays", ("a", "b"), "interval_time")}
    assert {(item.severity, item.scope, item.allow) for item in checks} == {("error", "interval", 0)}


def test_what_else_a_check_may_say() -> None:
    text = HEAD + check("unique: songplay_id\n    severity: warn\n    scope: table\n    allow: 0.5 %")
    (found,) = parse(text, "checks/x.yaml")
    assert (found.severity, found.scope, found.allow) == ("warn", "table", "0.5 %")
    assert (found.name, found.why, found.remedy, found.where) == ("a check", "w", "r", "checks/x.yaml line 5")
    assert found.columns == {"songplay_id", "interval_time"}


def test_several_columns_may_be_unique_together() -> None:
    (found,) = parse(HEAD + check("unique: [session_id, start_time]"), "x.yaml")
    assert found.columns == {"songplay_id", "session_id", "start_time", "interval_time"}
    assert found.column is None


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("", 1, "expected The checks of one table of the warehouse.; found null"),
        ("checks: [", 2, "invalid YAML"),
        ("a: 1\nb: 'x", 2, "invalid YAML"),
        ("a: \0", 1, "invalid YAML"),
        ("table: songplays\nkey: id\n", 1, "missing: checks"),
        ("table: songplays\nkey: id\nchecks: {}\n", 3, "checks: expected a list of checks; found {}"),
        ("table: songplays\nkey: id\nchecks: []\n", 3, "checks: expected a list of checks; found []"),
        (
            "table: Song plays\nkey: id\nchecks: []\n",
            1,
            'table: expected the table, a name in lower case; found "Song plays"',
        ),
        (HEAD + "  - just text\n", 5, "expected A check: name, exactly one kind, why and remedy.; found"),
        (HEAD + "  - name: x\n    unique: id\n", 5, "missing: why, remedy"),
        (HEAD + check("severity: warn"), 5, "this one has none"),
        (HEAD + check("unique: id\n    row_count: {min: 1}"), 5, "this one has unique and row_count"),
        (HEAD + check("unique: id\n    severty: warn"), 5, 'unknown: "severty"; did you mean severity?'),
        (HEAD + check("unique: id\n    severity: high"), 9, 'severity: expected one of error, warn; found "high"'),
        (HEAD + check("unique: id\n    scope: day"), 9, 'scope: expected one of interval, table; found "day"'),
        (HEAD + check("unique: id\n    allow: many"), 9, "allow: expected how many failing rows are accepted"),
        (HEAD + check("unique: id\n    allow: -1"), 9, "allow: expected how many failing rows are accepted"),
        (HEAD + check("unique: id\n    allow: 0.5"), 9, "allow: expected how many failing rows are accepted"),
        (HEAD + check("unique: a; DROP TABLE users"), 8, "names in lower case; found"),
        (
            HEAD + check("not_null: []"),
            8,
            "not_null: expected a column, or a list of columns, with a value in every row; names in lower case",
        ),
        (HEAD + check("range: {column: a, min: low}"), 8, 'min: expected a number; found "low"'),
        (HEAD + check("range: {column: a}"), 8, "range: expected min, max or both"),
        (HEAD + check("range:\n      column: a\n      min: 2\n      max: 1"), 9, "range: min 2 exceeds max 1"),
        (HEAD + check("row_count: {min: 2, max: 1}"), 8, "row_count: min 2 exceeds max 1"),
        (
            HEAD + check("row_count: {min: 1}\n    allow: 3"),
            5,
            "allow is a number of failing rows; this check has no rows",
        ),
        (HEAD + check("relationship: {column: a, to: users}"), 8, "to: expected the other table and its column"),
        (HEAD + check("accepted_values: {column: a, value: [1]}"), 8, 'unknown: "value"; did you mean values?'),
        (HEAD + check("sql: DELETE FROM users"), 8, "sql: expected a SELECT of the rows that should not exist"),
        (HEAD + check("sql: SELECT 1; SELECT 2"), 8, "sql: expected one SELECT"),
        (HEAD + check("sql: SELECT FROM WHERE ("), 8, "sql: invalid SQL of Redshift"),
        (HEAD + check("sql: DELETE FROM users WHERE a IN (SELECT 1)"), 8, "sql: expected one SELECT"),
        (
            HEAD + check('sql: "SELECT {{ interval }}x y z ("'),
            8,
            "sql: expected {{ scope('column') }} as the only template",
        ),
        (HEAD + check("unique: id") + check("unique: id"), 9, "duplicate check name 'a check'"),
        (HEAD + check("unique: id\n    unique: level"), 9, "duplicate key 'unique'"),
        (HEAD.replace("interval: interval_time\n", "") + check("unique: id"), 4, "needs the table's interval column"),
    ],
)
def test_a_problem_is_reported_with_file_line_and_the_expected_value(text: str, line: int, problem: str) -> None:
    found = problems(text)
    assert any(item.startswith(f"checks/x.yaml line {line}: ") and problem in item for item in found), found


def test_all_problems_are_reported_at_once() -> None:
    found = problems(HEAD + check("unique: A") + check("range: {column: a, min: x}\n    severity: high", "another"))
    assert [item.split(": ")[0] for item in found] == [f"checks/x.yaml line {line}" for line in (8, 12, 13)]


def test_the_problems_of_all_files_of_a_folder_are_reported(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("table: a")
    (tmp_path / "b.yaml").write_text(HEAD + check("unique: songplay_id"))
    (tmp_path / "c.yaml").write_text(HEAD + check("unique: 3"))
    with pytest.raises(DeclarationError) as caught:
        load(tmp_path)
    assert re.findall(r"/(.)\.yaml line (\d+)", str(caught.value)) == [("a", "1"), ("c", "8")]
    (tmp_path / "a.yaml").unlink()
    (tmp_path / "c.yaml").unlink()
    assert [item.kind.name for item in load(tmp_path)] == ["unique"]


def test_a_folder_without_files_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match="no files of checks"):
        load(tmp_path)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(sorted(OPTIONS)) | st.text(), inner)
        ),
        max_leaves=12,
    )
)
def test_any_check_is_read_or_reported(item: Any) -> None:
    document = {"table": "t", "key": "id", "checks": [item]}
    try:
        assert len(parse(json.dumps(document), "x.yaml")) == 1
    except DeclarationError as error:
        assert all(line.startswith("x.yaml line 1: ") for line in str(error).split("\n"))


def test_the_schema_of_editors_is_made_from_the_kinds() -> None:
    assert schema.FILE.read_text() == schema.text(), "stale: make format writes it"


def test_the_schema_is_one_and_the_files_name_it_to_editors() -> None:
    from jsonschema import Draft202012Validator

    Draft202012Validator.check_schema(schema.schema())
    for path in CHECKS.glob("*.yaml"):
        first = path.read_text().splitlines()[0]
        named = first.removeprefix("# yaml-language-server: $schema=")
        assert (path.parent / named).resolve() == schema.FILE, path.name


def test_the_shipped_files_are_a_table_each() -> None:
    checks = load(CHECKS)
    assert {item.table for item in checks} == {path.stem for path in CHECKS.glob("*.yaml")}
    assert {item.severity for item in checks} == {"error", "warn"}
    assert all(item.where.startswith(f"checks/{item.table}.yaml line ") for item in checks)
