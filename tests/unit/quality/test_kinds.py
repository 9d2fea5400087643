"""What the kinds of checks measure, and what the numbers mean."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkify.interval import Interval
from sparkify.quality import sql
from sparkify.quality.declaration import Check, load
from sparkify.quality.kinds import KINDS
from sparkify.quality.kinds.kind import CheckedRows, Evaluation, NumberKind, RowKind
from sql_rules import violations
from tests.conftest import ROOT

HOUR = Interval.parse("2018-11-08T05:00", "2018-11-08T06:00")
VOLUME = {"column": "start_time", "weeks": 4, "from": 100, "at_least": "20 %", "at_most": "500 %"}
SHIPPED = load(ROOT / "include" / "checks")


def kind_of(name: str, options: Any) -> Any:
    return KINDS[name].read(options)


def checked(interval: Interval = HOUR) -> CheckedRows:
    return CheckedRows("songplays", ("songplay_id",), "interval_time", interval)


@pytest.mark.parametrize("shipped", SHIPPED, ids=lambda item: f"{item.table}: {item.name}")
def test_the_sql_of_the_shipped_checks_obeys_the_rules(shipped: Check) -> None:
    rows = shipped.rows(HOUR)
    measure = shipped.kind.aggregate(rows)
    scan = {"table": shipped.table, "measures": [measure] if measure else [], "where": rows.where()}
    assert violations(sql.render("scans", scans=[scan, scan])) == []
    if isinstance(shipped.kind, NumberKind):
        assert violations(shipped.kind.select(rows) or "SELECT 1 AS one") == []
    else:
        assert isinstance(shipped.kind, RowKind)
        assert violations(shipped.kind.count(rows)) == []
        # The columns of a sample are the check's own.
        found = violations(sql.render("sample", rows=shipped.kind.failing(rows), limit=5))
        assert [item for item in found if item[:2] != ("star", "*")] == []


@pytest.mark.parametrize("options", [{"min": 1, "max": 3}, {"min": 2}, {"max": 2}])
@given(rows=st.integers(0, 5))
def test_row_count(options: dict[str, int], rows: int) -> None:
    inside = options.get("min", 0) <= rows <= options.get("max", 5)
    assert kind_of("row_count", options).evaluate(rows, checked()).passed is inside


@pytest.mark.parametrize(
    ("newest", "passed"),
    [
        (datetime(2018, 11, 8, 5, 59), True),  # noqa: DTZ001 - as the databases have it
        (datetime(2018, 11, 8, 3, 30), True),  # noqa: DTZ001
        (datetime(2018, 11, 8, 3, 29, 59), False),  # noqa: DTZ001
        (None, False),
    ],
)
def test_freshness_is_of_the_interval_s_end_and_not_of_today(newest: datetime | None, passed: bool) -> None:
    evaluation = kind_of("freshness", {"column": "start_time", "hours": 2.5}).evaluate(newest, checked())
    assert evaluation.passed is passed
    assert "2018-11-08 06:00" in evaluation.expected


def test_freshness_is_never_seen_from_the_future() -> None:
    now = datetime.now(UTC)
    interval = Interval(now - timedelta(hours=1), now + timedelta(days=365))
    newest = (now - timedelta(hours=2)).replace(tzinfo=None)
    assert kind_of("freshness", {"column": "start_time", "hours": 2.5}).evaluate(newest, checked(interval)).passed


@pytest.mark.parametrize(
    ("counts", "passed", "expected"),
    [
        ([30, 100, 200, 0, 0], True, "30 to 750 rows: the mean of 2 earlier weeks is 150"),
        ([29, 100, 200, 0, 0], False, "30 to 750 rows: the mean of 2 earlier weeks is 150"),
        ([750, 150, 150, 150, 150], True, "30 to 750 rows: the mean of 4 earlier weeks is 150"),
        ([751, 150, 150, 150, 150], False, "30 to 750 rows: the mean of 4 earlier weeks is 150"),
        ([0, 99, 99, 99, 99], True, "earlier weeks have too few rows to compare (fewer than 100)"),
        ([0, 100, 0, 0, 0], False, "20 to 500 rows: the mean of 1 earlier week is 100"),
        ([0, 0, 0, 0, 0], True, "earlier weeks have too few rows to compare (fewer than 100)"),
        ([10**6, 0, 0, 0, 0], True, "earlier weeks have too few rows to compare (fewer than 100)"),
    ],
)
def test_volume(counts: list[int], passed: bool, expected: str) -> None:
    assert kind_of("volume", VOLUME).evaluate(list(enumerate(counts)), checked()) == Evaluation(
        passed,
        f"{counts[0]:,} rows",
        expected,
    )


def test_more_than_a_week_is_compared_with_nothing() -> None:
    weeks = Interval.parse("2018-11-01", "2018-11-09")
    assert kind_of("volume", VOLUME).evaluate(list(enumerate([0, 1000, 1000, 1000, 1000])), checked(weeks)).passed


def test_the_rejects_of_an_hour_are_those_of_its_files() -> None:
    rows = kind_of("rejected", {"period": "day"}).failing(checked())
    assert "period_start >= TIMESTAMP '2018-11-08 00:00:00.000000'" in rows
    assert "period_start < TIMESTAMP '2018-11-08 06:00:00.000000'" in rows
    assert "period_start" not in kind_of("rejected", {"period": "all"}).failing(checked())


def test_the_shrunk_files_of_an_hour_are_those_of_its_period() -> None:
    rows = kind_of("shrunk", {"period": "day"}).failing(checked())
    assert "period_start >= TIMESTAMP '2018-11-08 00:00:00.000000'" in rows
    assert "period_start < TIMESTAMP '2018-11-08 06:00:00.000000'" in rows


def test_texts_are_quoted() -> None:
    rows = kind_of("accepted_values", {"column": "level", "values": ["o'clock", 3]}).failing(checked())
    assert "level NOT IN ('o''clock', 3)" in rows


def test_texts_are_compared_without_trailing_blanks() -> None:
    """As Redshift does."""
    rows = kind_of("accepted_values", {"column": "level", "values": ["free ", None]}).failing(checked())
    assert "RTRIM(level) NOT IN ('free')" in rows
    assert "RTRIM" not in kind_of("accepted_values", {"column": "year", "values": [1, 2]}).failing(checked())
