"""Differences become runs: contiguous periods together, failing ones alone and later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkify.interval import Interval, union
from sparkify.reconcile.compare import STILL_CHANGING, Finding
from sparkify.reconcile.plan import MAX_PERIODS, Candidate, Difference, RunState, candidate, runs, update

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EARLIER = NOW - timedelta(days=3)
FIRST = datetime(2018, 11, 1, tzinfo=UTC)
HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)


def difference(day: int = 0, attempts: int = 0, version: str = "a") -> Difference:
    return Difference(FIRST + day * DAY, "changed", version, EARLIER, attempts, "run" if attempts else None)


def ready(*days: int, attempts: int = 0) -> list[Candidate]:
    return [
        Candidate(difference(day, attempts), Interval(FIRST + day * DAY, FIRST + (day + 1) * DAY), NOW) for day in days
    ]


def spans(found: list[Candidate]) -> list[tuple[int, int]]:
    """Return the intervals of the runs, in days."""
    return [((run.interval.start - FIRST) // DAY, (run.interval.end - FIRST) // DAY) for run in runs("t", found, NOW)]


def test_contiguous_periods_are_one_run_oldest_first() -> None:
    assert spans(ready(9, 3, 4, 5, 1)) == [(1, 2), (3, 6), (9, 10)]


def test_hours_and_days_are_joined() -> None:
    hours = Candidate(difference(1), Interval(FIRST + DAY, FIRST + DAY + 5 * HOUR), NOW)
    (run,) = runs("t", [hours, *ready(0)], NOW)
    assert run.interval == Interval(FIRST, FIRST + DAY + 5 * HOUR)


def test_a_run_has_a_bounded_number_of_periods() -> None:
    assert spans(ready(*range(2 * MAX_PERIODS + 1))) == [
        (0, MAX_PERIODS), (MAX_PERIODS, 2 * MAX_PERIODS), (2 * MAX_PERIODS, 2 * MAX_PERIODS + 1),
    ]  # fmt: skip


def test_what_failed_is_loaded_alone_and_last() -> None:
    assert spans([*ready(1, 2, attempts=1), *ready(3, 4), *ready(0)]) == [(0, 1), (3, 5), (1, 2), (2, 3)]


def test_a_run_is_recorded_with_its_differences() -> None:
    (run,) = runs("staging_events", ready(0, 1), NOW)
    assert run.run_id.startswith("reconcile__2018-11-01T00:00_2018-11-03T00:00__")
    assert len(run.run_id) <= 250
    assert run.differences == tuple(
        difference(day)._replace(attempts=1, run_id=run.run_id, triggered_at=NOW) for day in (0, 1)
    )


def test_a_run_id_depends_on_the_files_and_the_attempt_only() -> None:
    def run_id(found: list[Candidate], table: str = "t", now: datetime = NOW) -> str:
        return runs(table, found, now)[0].run_id

    first = run_id(ready(0))
    assert run_id(ready(0), now=NOW + DAY) == first
    assert run_id(ready(0), "other") != first
    assert run_id(ready(0, attempts=1)) != first
    changed = [Candidate(difference(version="b"), ready(0)[0].interval, NOW)]
    assert run_id(changed) != first


@given(st.sets(st.integers(0, 60)), st.sets(st.integers(0, 60)))
def test_runs_cover_exactly_the_candidates(fresh: set[int], failed: set[int]) -> None:
    found = [*ready(*fresh), *ready(*failed - fresh, attempts=2)]
    planned = runs("t", found, NOW)
    assert union(run.interval for run in planned) == union(item.interval for item in found)
    assert sum((run.interval.end - run.interval.start) // DAY for run in planned) == len(found)
    assert sorted(item.start for run in planned for item in run.differences) == sorted(
        item.difference.start for item in found
    )
    assert len({run.run_id for run in planned}) == len(planned)


FINDING = Finding(FIRST, "changed", "b", Interval(FIRST, FIRST + DAY))
CLAIMED = Difference(FIRST, "changed", "b", EARLIER, 3, "run", EARLIER)


@pytest.mark.parametrize(
    ("before", "finding", "expected"),
    [
        (None, FINDING, Difference(FIRST, "changed", "b", NOW)),
        (CLAIMED, FINDING, CLAIMED),
        (CLAIMED, FINDING._replace(state="missing"), CLAIMED._replace(state="missing")),
        (CLAIMED, FINDING._replace(version="c"), CLAIMED._replace(version="c", found_at=NOW, attempts=0)),
        (CLAIMED, Finding(FIRST, "vanished", "e"), Difference(FIRST, "vanished", "e", NOW)),
        (Difference(FIRST, "vanished", "e", EARLIER), FINDING, Difference(FIRST, "changed", "b", NOW)),
    ],
)
def test_differences_are_updated(before: Difference | None, finding: Finding, expected: Difference) -> None:
    """Attempts are those of a version."""
    assert update(finding, before, NOW) == expected


def ready_after(
    attempts: int = 0,
    run: RunState = "ended",
    changes: int = 0,
    staged_at: datetime | None = NOW,
    version: str = "b",
) -> timedelta | None:
    """Return the time after NOW from which on a difference is loaded."""
    found = Difference(FIRST, "changed", version, NOW, attempts, "run", NOW)
    at = candidate(found, Interval(FIRST, FIRST + DAY), run=run, changes=changes, staged_at=staged_at).ready_at
    return at - NOW if at else None


def test_a_failing_version_is_tried_again_with_back_off() -> None:
    waits = [ready_after(attempts) for attempts in range(9)]
    assert waits == [timedelta(), *(HOUR * hours for hours in (1, 2, 4, 8, 16, 24, 24, 24))]
    assert ready_after(10_000) == DAY


def test_hours_of_a_day_that_has_not_ended_are_tried_every_hour() -> None:
    """The version of its files is not recorded, so a corrected file is not noticed."""
    assert [ready_after(attempts, version=STILL_CHANGING) for attempts in (1, 2, 9)] == [HOUR] * 3


def test_a_period_that_keeps_changing_waits_longer_and_longer() -> None:
    waits = [ready_after(changes=changes) for changes in range(11)]
    assert waits == [timedelta(), *(MINUTE * minutes for minutes in (10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440))]
    assert ready_after(changes=10_000) == DAY
    assert ready_after(changes=3, staged_at=None) == timedelta()
    assert ready_after(2, changes=1) == 2 * HOUR


def test_nothing_is_loaded_beside_the_run_that_loads_it() -> None:
    assert ready_after(1, "active") is None
    assert ready_after(0, "active") is None


@pytest.mark.parametrize("attempts", [1, 2, 3])
def test_a_run_that_was_claimed_but_not_triggered_is_triggered_again(attempts: int) -> None:
    claimed = Difference(FIRST, "changed", "b", EARLIER, attempts - 1)
    day = Interval(FIRST, FIRST + DAY)
    (first,) = runs("t", [Candidate(claimed, day, NOW)], NOW)
    again = candidate(first.differences[0], day, run="absent", changes=0, staged_at=None)
    assert again.ready_at == EARLIER
    assert runs("t", [again], NOW + MINUTE)[0].run_id == first.run_id
