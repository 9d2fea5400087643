"""Which hours nobody loads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sandbox.live_hours import HOUR, last_full, missing
from sparkify.interval import Interval

START = datetime(2026, 11, 20, tzinfo=UTC)


def at(hour: int) -> datetime:
    return START + hour * HOUR


spans = st.tuples(st.integers(-5, 40), st.integers(1, 20))


@given(st.lists(spans, max_size=8), st.integers(-3, 36))
def test_missing_is_each_hour_that_no_run_covers(runs: list[tuple[int, int]], length: int) -> None:
    covered = {hour for first, hours in runs for hour in range(first, first + hours)}
    gaps = missing([Interval(at(first), at(first + hours)) for first, hours in runs], START, at(length))
    assert [at(hour) for hour in range(length) if hour not in covered] == [
        start + number * HOUR for start, end in gaps for number in range((end - start) // HOUR)
    ]
    assert all(start < end for start, end in gaps)
    assert all(one[1] < other[0] for one, other in pairwise(gaps))  # one run for what hangs together


def test_parts_of_hours_count() -> None:
    half = timedelta(minutes=30)
    assert missing([Interval(at(0), at(1) + half)], START, at(3)) == [(at(1) + half, at(3))]


def test_the_last_hour_that_is_over() -> None:
    assert last_full(at(3) + timedelta(minutes=59, seconds=59, microseconds=999_999)) == at(3)
    assert last_full(at(3)) == at(3)
