"""Each kind of check, on rows of which some are invalid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from sparkify.interval import Interval
from sparkify.quality.declaration import parse
from sparkify.quality.evaluate import evaluate
from sparkify.warehouse import Warehouse, connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.lab import Lab
    from sparkify.quality.result import CheckResult

HOUR = Interval.parse("2018-11-08T05:00", "2018-11-08T06:00")
# Six rows of the hour, and one of the next hour, which checks of the hour ignore.
ROWS = """
CREATE SCHEMA operations;
CREATE TABLE operations.rejected_rows (
    table_name VARCHAR(9), period_start TIMESTAMP, file_name VARCHAR(9), line_number BIGINT, column_name VARCHAR(9),
    error_code INT, reason VARCHAR(9)
);
INSERT INTO operations.rejected_rows VALUES
('plays', '2018-11-08', 'f', 1, 'ts', 1206, 'bad'), ('plays', '2018-11-07', 'f', 2, 'ts', 1206, 'bad'),
('others', '2018-11-08', 'f', 3, 'ts', 1206, 'bad');
CREATE TABLE operations.staged_periods (
    table_name VARCHAR(9), period_start TIMESTAMP, size_bytes BIGINT, shrunk_from BIGINT
);
INSERT INTO operations.staged_periods VALUES
('plays', '2018-11-08', 40, 100), ('plays', '2018-11-08', 40, 100), ('plays', '2018-11-07', 40, 100),
('others', '2018-11-08', 40, 100), ('plays', '2018-11-08', 40, NULL);
CREATE TABLE plays (id INT, level VARCHAR(9), user_id INT, at TIMESTAMP);
INSERT INTO plays VALUES
(1, 'free', 1, '2018-11-08 05:00'), (2, 'paid', 2, '2018-11-08 05:10'), (3, 'gold', 3, '2018-11-08 05:20'),
(3, NULL, 3, '2018-11-08 05:30'), (NULL, 'free', NULL, '2018-11-08 05:40'), (6, 'free', 1, '2018-11-08 05:59'),
(6, 'lead', NULL, '2018-11-08 06:00');
INSERT INTO plays SELECT 100 + n, 'free ', 1, '2018-11-01 05:30' FROM generate_series(1, 40) AS n;
CREATE TABLE users (user_id INT);
INSERT INTO users VALUES (1), (2), (2), (9);
CREATE TABLE staged (number INT, page VARCHAR(9), at TIMESTAMP);
INSERT INTO staged VALUES (1, 'play', '2018-11-08 05:00'), (2, 'play', '2018-11-08 05:10'),
(2, 'play', '2018-11-08 05:10'), (3, 'home', '2018-11-08 05:20'), (4, 'play', '2018-11-08 05:30'),
(5, 'play', '2018-11-08 06:00');
"""


@pytest.fixture
def warehouse(empty_lab: Lab) -> Iterator[Warehouse]:
    with psycopg.connect(empty_lab.uri) as connection:
        connection.execute(ROWS)
    with connect("redshift") as warehouse:
        yield warehouse


def check_all(warehouse: Warehouse, *declarations: str, interval: Interval = HOUR) -> list[CheckResult]:
    """Evaluate checks of one table."""
    items = [
        f"  - {{name: c{number}, why: w, remedy: r, {declaration}}}\n"
        for number, declaration in enumerate(declarations)
    ]
    text = "table: plays\nkey: id\ninterval: at\nchecks:\n" + "".join(items)
    return list(evaluate(warehouse, parse(text, "x.yaml"), interval))


def check_one(warehouse: Warehouse, declaration: str) -> CheckResult:
    """Evaluate one check."""
    (result,) = check_all(warehouse, declaration)
    return result


@pytest.mark.parametrize(
    ("declaration", "failing", "total", "sample"),
    [
        ("not_null: id", 1, 6, [{"id": None}]),
        ("not_null: [id, level]", 2, 6, [{"id": 3, "level": None}, {"id": None, "level": "free"}]),
        ("not_null: at", 0, 6, []),
        ("not_null: user_id, scope: table", 2, 47, [{"id": None, "user_id": None}, {"id": 6, "user_id": None}]),
        ("unique: id", 1, 6, [{"id": 3, "copies": 2}]),
        ("unique: id, scope: table", 2, 47, [{"id": 3, "copies": 2}, {"id": 6, "copies": 2}]),
        ("unique: at", 0, 6, []),
        ("accepted_values: {column: level, values: [free, paid]}", 2, 6,
         [{"id": 3, "level": "gold"}, {"id": 3, "level": None}]),
        ("accepted_values: {column: level, values: [free, paid, null]}", 1, 6, [{"id": 3, "level": "gold"}]),
        ("accepted_values: {column: level, values: [free, paid, gold, null]}", 0, 6, []),
        ("accepted_values: {column: level, values: ['free  ', paid, gold, null]}, scope: table", 1, 47, None),
        ("range: {column: id, min: 2}", 1, 6, [{"id": 1}]),
        ("range: {column: id, max: 2.5}", 3, 6, [{"id": 3}, {"id": 3}, {"id": 6}]),
        ("range: {column: id, min: 1, max: 6}", 0, 6, []),
        ("relationship: {column: user_id, to: users.user_id}", 2, 6, [{"id": 3, "user_id": 3}] * 2),
        ("agreement: {with: staged, where: page = 'play', interval: at, key: number, is: id}", 5, 6,
         [{"id": 4, "problem": "lost"}, *[{"id": key, "problem": "not in staged"} for key in (3, 3, 6, None)]]),
        ("agreement: {with: staged, where: number < 3, interval: at, key: number, is: id}, scope: table", 45, 47, None),
        ("rejected: {period: day}", 1, 7, [
            {"file_name": "f", "line_number": 1, "column_name": "ts", "error_code": 1206, "reason": "bad"}]),
        ("rejected: {period: all}", 2, 8, None),
        ("shrunk: {period: day}", 1, 7, [{"period_start": "2018-11-08 00:00:00", "bytes_before": 100, "bytes": 40}]),
        ("sql: \"SELECT id FROM plays WHERE level = 'gold' AND {{ scope('at') }};\"", 1, 6, [{"id": 3}]),
        ("sql: \"SELECT id FROM plays WHERE level = 'lead' AND {{ scope('at') }}\"", 0, 6, []),
        ("sql: \"SELECT id FROM plays WHERE level = 'lead' AND {{ scope('at') }}\", scope: table", 1, 47, [{"id": 6}]),
    ],
)  # fmt: skip
def test_failing_rows(
    warehouse: Warehouse, declaration: str, failing: int, total: int, sample: list[dict[str, Any]] | None
) -> None:
    result = check_one(warehouse, declaration)
    assert (result.failing_rows, result.total_rows, result.passed) == (failing, total, failing == 0)
    assert result.observed == f"{failing:,} of {total:,} rows"
    if sample is not None:
        assert sorted(result.sample, key=repr) == sorted(sample, key=repr)


@pytest.mark.parametrize(
    ("declaration", "passed", "observed"),
    [
        ("row_count: {min: 6, max: 6}", True, "6 rows"),
        ("row_count: {min: 7}", False, "6 rows"),
        ("row_count: {max: 46}, scope: table", False, "47 rows"),
        ("freshness: {column: at, hours: 0.1}", True, "newest 2018-11-08 05:59, 0.0 h before"),
        ("freshness: {column: at, hours: 0.01}, scope: table", False, "newest 2018-11-08 05:59, 0.0 h before"),
        ("volume: {column: at, weeks: 2, from: 40, at_least: 15 %, at_most: 200 %}", True, "6 rows"),
        ("volume: {column: at, weeks: 2, from: 40, at_least: 16 %, at_most: 200 %}", False, "6 rows"),
        ("volume: {column: at, weeks: 2, from: 40, at_least: 1 %, at_most: 14 %}", False, "6 rows"),
    ],
)
def test_numbers_out_of_bounds(warehouse: Warehouse, declaration: str, passed: bool, observed: str) -> None:
    result = check_one(warehouse, declaration)
    assert (result.passed, result.observed, result.failing_rows, result.sample) == (passed, observed, 0, [])


@pytest.mark.parametrize(
    ("allow", "passed", "expected"),
    [
        ("1", False, "at most 1 rows"),
        ("2", True, "at most 2 rows"),
        ("33 %", False, "at most 33 % of the rows"),
        ("34 %", True, "at most 34 % of the rows"),
        ("0 %", False, "at most 0 % of the rows"),
        ("0", False, "none"),
    ],
)
def test_allowed_failures(warehouse: Warehouse, allow: str, passed: bool, expected: str) -> None:
    result = check_one(warehouse, f"not_null: [id, level], allow: {allow}")
    assert (result.passed, result.expected) == (passed, expected)


def test_an_hour_without_rows_passes_checks_of_rows(warehouse: Warehouse) -> None:
    checks = [
        "not_null: id",
        "unique: id",
        "range: {column: id, min: 1}",
        "relationship: {column: id, to: users.user_id}",
    ]
    found = check_all(warehouse, *checks, interval=Interval.parse("2018-11-08T03:00", "2018-11-08T04:00"))
    assert [result.passed for result in found] == [True] * 4


def test_the_sample_has_five_rows_and_truncated_values(warehouse: Warehouse) -> None:
    result = check_one(warehouse, "sql: \"SELECT id AS n, LPAD('x', 500, 'x') AS t FROM plays\"")
    assert result.failing_rows == 47
    assert [len(row["t"]) for row in result.sample] == [200] * 5


def test_compatible_checks_share_one_scan(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    statements: list[str] = []
    query = type(warehouse).table

    def recorded(self: Warehouse, sql: str) -> Any:
        statements.append(sql)
        return query(self, sql)

    monkeypatch.setattr(type(warehouse), "table", recorded)
    checks = ["not_null: at", "unique: at", "range: {column: id, min: 0}", "row_count: {min: 1}"]
    found = check_all(warehouse, *checks, "freshness: {column: at, hours: 2}")
    assert [result.passed for result in found] == [True] * 5
    assert len(statements) == 1
