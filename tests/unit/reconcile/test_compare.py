"""A period is compared with the parts of it that are staged."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkify.interval import Interval, union
from sparkify.reconcile.compare import STILL_CHANGING, Finding, compare
from sparkify.staging.periods import EMPTY, StagedPart

DAY = Interval.parse("2018-11-01", "2018-11-02")
LATER = DAY.end + timedelta(days=9)


def hours(start: float, end: float) -> Interval:
    """Return an interval in hours of the day."""
    return Interval(DAY.start + timedelta(hours=start), DAY.start + timedelta(hours=end))


def parts(*staged: tuple[float, float, str]) -> list[StagedPart]:
    """Return staged parts, in hours of the day; a version with an exclamation mark is not loaded yet."""
    return [
        StagedPart(hours(start, end), version.strip("!"), loading_run="run" if "!" in version else None)
        for start, end, version in staged
    ]


WHOLE = Finding(DAY.start, "missing", "b", DAY)
CHANGED = WHOLE._replace(state="changed")
VANISHED = Finding(DAY.start, "vanished", EMPTY)


@pytest.mark.parametrize(
    ("version", "staged", "expected"),
    [
        ("b", [(0, 24, "b")], None),
        ("b", [(0, 5, "b"), (5, 24, "b")], None),
        ("b", [(0, 24, "a")], CHANGED),
        ("b", [(0, 5, "a"), (5, 24, "b")], CHANGED),
        ("b", [(0, 24, EMPTY)], CHANGED),
        ("b", [(0, 24, "b!")], CHANGED),
        ("b", [(0, 5, "b"), (5, 24, "b!")], CHANGED),
        ("b", [(0, 5, "b!")], WHOLE),
        (None, [(0, 24, "a!")], VANISHED),
        ("b", [], WHOLE),
        ("b", [(0, 5, "b")], WHOLE),
        ("b", [(0, 5, "b"), (6, 24, "b")], WHOLE),
        ("b", [(0, 5, "a"), (6, 24, "b")], WHOLE),
        (None, [], None),
        (None, [(0, 24, EMPTY)], None),
        (None, [(0, 24, "a")], VANISHED),
        (None, [(0, 5, "a"), (5, 6, EMPTY)], VANISHED),
    ],
)
def test_a_period_that_has_ended(
    version: str | None, staged: list[tuple[float, float, str]], expected: Finding | None
) -> None:
    assert compare(DAY, version, parts(*staged), due=LATER, fill=True) == expected
    assert compare(DAY, version, parts(*staged), due=DAY.end, fill=True) == expected


@pytest.mark.parametrize(
    ("staged", "expected"),
    [
        ([(0, 24, "a")], CHANGED),
        ([], None),
        ([(0, 5, "b")], None),
        ([(0, 5, "a"), (6, 24, "b")], CHANGED),
    ],
)
def test_gaps_are_only_filled_from_since_on(staged: list[tuple[float, float, str]], expected: Finding | None) -> None:
    """What is staged is kept up to date, whatever `since` is."""
    assert compare(DAY, "b", parts(*staged), due=LATER, fill=False) == expected


@pytest.mark.parametrize(
    ("staged", "load"),
    [
        ([(0, 10, "a")], None),
        ([(0, 4, "a"), (4, 10, "b")], None),
        ([(0, 11, "a")], None),
        ([(0, 24, "a")], None),
        ([], hours(0, 10)),
        ([(0, 5, "a")], hours(5, 10)),
        ([(5, 10, "a")], hours(0, 5)),
        ([(0, 5, "a"), (5, 10, "a!")], hours(5, 10)),
        ([(0, 2, "a"), (4, 6, "b"), (7, 24, "b")], hours(2, 7)),
    ],
)
def test_of_a_period_that_has_not_ended_missed_hours_are_loaded(
    staged: list[tuple[float, float, str]], load: Interval | None
) -> None:
    """A changed version is loaded by the run that closes the period."""
    expected = Finding(DAY.start, "missing", STILL_CHANGING, load) if load else None
    due = hours(10, 11).start
    assert compare(DAY, "b", parts(*staged), due=due, fill=True) == expected
    assert compare(DAY, "b", parts(*staged), due=due, fill=False) is None


def test_a_period_that_is_not_due_is_left_to_the_schedule() -> None:
    assert compare(DAY, "b", [], due=DAY.start, fill=True) is None
    assert compare(DAY, "b", [], due=DAY.start - timedelta(hours=5), fill=True) is None


edges = st.integers(0, 24)
staged_parts = st.lists(
    st.tuples(edges, edges, st.sampled_from(["a", "b", EMPTY])).filter(lambda part: part[0] < part[1]), max_size=5
)


@given(version=st.sampled_from([None, "a", "b"]), staged=staged_parts, due=st.integers(-2, 30), fill=st.booleans())
def test_a_load_resolves_the_finding(
    version: str | None, staged: list[tuple[int, int, str]], due: int, fill: bool
) -> None:
    """Reconciliation comes to rest: after the load of a finding there is none. A period without one is covered."""
    moment = DAY.start + timedelta(hours=due)
    before = parts(*staged)
    found = compare(DAY, version, before, due=moment, fill=fill)
    if found is None or found.load is None:
        if version and fill and due >= 24:
            assert {part.version for part in before} == {version}
            assert union(part.interval for part in before) == (DAY,)
        return
    assert DAY.contains(found.load)
    assert found.load.end <= moment
    after = [StagedPart(span, part.version) for part in before for span in _without(part.interval, found.load)]
    after.append(StagedPart(found.load, version or EMPTY))
    assert compare(DAY, version, after, due=moment, fill=fill) is None


def _without(span: Interval, other: Interval) -> tuple[Interval, ...]:
    from sparkify.interval import difference

    return difference([span], other)
