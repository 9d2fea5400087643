"""Time intervals and their arithmetic."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkify.interval import (
    EARLIEST,
    LATEST,
    LONGEST,
    PERIODS,
    Interval,
    Period,
    difference,
    moment,
    union,
)
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

START = datetime(2018, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")

moments = st.integers(0, 40 * 365 * 86_400_000_000).map(lambda after: START + timedelta(microseconds=after))
lengths = st.timedeltas(min_value=timedelta(microseconds=1), max_value=timedelta(days=4))
# User input: any text, times up to the limits of datetime, offsets of up to a day.
zones = st.one_of(
    st.none(),
    st.timezones(),
    st.timedeltas(timedelta(hours=-23, minutes=-59), timedelta(hours=23, minutes=59)).map(timezone),
)
times = st.datetimes(timezones=zones)
inputs = st.one_of(st.text(), times, times.map(datetime.isoformat), times.map(str), st.integers(), st.none())
intervals = st.builds(lambda start, length: Interval(start, start + length), moments, lengths)


@given(intervals, st.sampled_from(list(PERIODS)))
def test_periods_cover_the_interval(interval: Interval, period: Period) -> None:
    found = list(interval.periods(period))
    assert found[0].start <= interval.start < found[0].end
    assert found[-1].start < interval.end <= found[-1].end
    assert all(one.end == next_.start for one, next_ in pairwise(found))


@given(intervals, st.sampled_from(list(PERIODS)))
def test_periods_are_aligned(interval: Interval, period: Period) -> None:
    for one in interval.periods(period):
        assert one.end - one.start == PERIODS[period]
        assert (one.start - datetime.min.replace(tzinfo=UTC)) % PERIODS[period] == timedelta(0)


def test_a_period_that_starts_at_the_end_is_excluded() -> None:
    assert [one.start.hour for one in Interval(START, START + 2 * HOUR).periods("hour")] == [0, 1]


def test_days_are_utc_days() -> None:
    interval = Interval.parse("2018-11-01T00:30:00+02:00", "2018-11-01T01:00:00+02:00")
    assert [one.start for one in interval.periods("day")] == [START - timedelta(days=1)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2018-11-01", START),
        ("2018-11-01T00:00:00", START),
        ("2018-11-01T00:00:00Z", START),
        ("2018-11-01 02:00:00+02:00", START),
        ("2018-10-31T17:00:00-07:00", START),
        ("2018-11-01T05:30:00+05:30", START),
        ("2018-11-01T00:00:00.123456Z", START.replace(microsecond=123456)),
        (datetime(2018, 11, 1), START),  # noqa: DTZ001
        (datetime(2018, 11, 1, 2, tzinfo=timezone(timedelta(hours=2))), START),
        (datetime(2018, 11, 1, 1, tzinfo=BERLIN), START),
    ],
)
def test_parse_converts_zones_and_defaults_to_utc(text: str | datetime, expected: datetime) -> None:
    interval = Interval.parse(text, "2019-01-01")
    assert interval.start == expected
    assert interval.start.tzinfo is UTC


@given(moments)
def test_parse_accepts_any_offset(moment: datetime) -> None:
    local = moment.astimezone(BERLIN).isoformat()
    assert Interval.parse(local, moment + HOUR) == Interval(moment, moment + HOUR)


def test_an_hour_repeated_by_daylight_saving_time_is_not_empty() -> None:
    """The clocks of Berlin showed 02:30 twice on 2018-10-28."""
    first = datetime(2018, 10, 28, 2, 30, tzinfo=BERLIN)
    interval = Interval.parse(first, first.replace(fold=1))
    assert interval.end - interval.start == HOUR


@given(intervals, st.sampled_from(list(PERIODS)))
def test_closing_covers_the_whole_first_period_if_it_ended(interval: Interval, period: Period) -> None:
    closed = interval.closing(period)
    first = next(interval.periods(period))
    assert closed.start == (first.start if interval.end >= first.end else interval.start)
    assert closed.end == interval.end
    assert closed.closing(period) == closed


def test_the_last_hour_of_a_day_closes_it() -> None:
    hours = list(Interval(START, START + 24 * HOUR).periods("hour"))
    assert [hour.closing("day") for hour in hours] == [*hours[:-1], Interval(START, START + 24 * HOUR)]


@pytest.mark.parametrize("end", [START, START - HOUR])
def test_an_interval_must_not_be_empty(end: datetime) -> None:
    with pytest.raises(ValueError, match="must end after it starts"):
        Interval(START, end)


def test_the_text_of_an_interval() -> None:
    assert str(Interval(START, START + HOUR)) == "[2018-11-01 00:00, 2018-11-01 01:00)"


# --- union, difference ---

spans = st.builds(
    lambda first, length: Interval(START + first * HOUR, START + (first + length) * HOUR),
    st.integers(0, 30),
    st.integers(1, 5),
)


def hours(found: Iterable[Interval]) -> set[datetime]:
    return {hour.start for span in found for hour in span.periods("hour")}


@given(st.lists(spans), spans)
def test_union_and_difference_match_those_of_sets_of_hours(intervals: list[Interval], other: Interval) -> None:
    merged = union(intervals)
    assert hours(merged) == hours(intervals)
    assert all(one.end < next_.start for one, next_ in pairwise(merged))
    left = difference(merged, other)
    assert hours(left) == hours(merged) - hours([other])
    assert union(left) == left


@given(spans, spans)
def test_an_interval_contains_its_hours(interval: Interval, other: Interval) -> None:
    assert interval.contains(other) == (hours([other]) <= hours([interval]))


@given(spans, st.integers(-20, 20))
def test_shifting_moves_each_hour(interval: Interval, number: int) -> None:
    assert hours([interval.shifted(number * HOUR)]) == {hour + number * HOUR for hour in hours([interval])}


# --- user input ---


@given(inputs, inputs, st.sampled_from(list(PERIODS)))
def test_any_input_is_a_valid_interval_or_a_value_error(start: Any, end: Any, period: Period) -> None:
    try:
        interval = Interval.parse(start, end)
    except ValueError:
        return
    for found in (interval, interval.closing(period), next(interval.periods(period))):
        assert EARLIEST <= found.start < found.end <= LATEST


def test_the_bounds_of_time_are_valid() -> None:
    assert moment("1970-01-01") == EARLIEST
    assert Interval.parse("2199-12-31", "2200-01-01").closing("day").end == LATEST
    assert len(list(Interval(EARLIEST, EARLIEST + LONGEST).for_one_run().periods("day"))) == 3653


@pytest.mark.parametrize("module", ["run", "backfill", "up", "feeder", "generate", "notebook"])
def test_commands_do_not_import_airflow_before_its_configuration(module: str) -> None:
    program = f"import sys, sandbox.{module}; sys.exit('airflow' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "plugins")}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=120)
