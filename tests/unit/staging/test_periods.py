"""The ledger of periods against a simple model: the version that each hour was staged from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkify.interval import Interval
from sparkify.s3 import S3Object
from sparkify.staging import periods
from sparkify.staging.periods import PeriodFiles, StagedPart

DAY = datetime(2018, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
PERIOD = Interval(DAY, DAY + 24 * HOUR)
ENDED = PERIOD.end

parts_of_day = st.tuples(st.integers(0, 23), st.integers(1, 24)).map(lambda pair: (pair[0], min(sum(pair), 24)))


def files(version: str, size: int = 100) -> PeriodFiles:
    return PeriodFiles(version, 1, size)


def stage(parts: list[StagedPart], version: str, *, at: datetime, size: int = 100) -> list[StagedPart]:
    """Stage the whole period."""
    return periods.staged(parts, files(version, size), PERIOD, PERIOD, run_id="r", now=at)


@given(
    st.lists(st.tuples(parts_of_day, st.sampled_from("abc"), st.sampled_from(["r", "s"]), st.booleans())),
    st.lists(st.integers(-5, 5)),
)
def test_each_hour_has_the_version_it_was_staged_from_last(
    runs: list[tuple[tuple[int, int], str, str, bool]], clocks: list[int]
) -> None:
    """And the run that has still to load it: a run confirms all that it has staged last."""
    parts: list[StagedPart] = []
    hours: dict[int, tuple[str, str | None]] = {}
    for number, ((start, end), version, run_id, confirmed) in enumerate(runs):
        skew = timedelta(seconds=clocks[number % len(clocks)] if clocks else 0)
        span = Interval(DAY + start * HOUR, DAY + end * HOUR)
        now = ENDED + number * timedelta(seconds=1) + skew
        parts = periods.staged(parts, files(version), span, PERIOD, run_id=run_id, now=now)
        hours |= dict.fromkeys(range(start, end), (version, run_id))
        assert (found := periods.latest(parts)) is not None
        assert found.version == version
        for one, other in pairwise(parts):
            assert one.interval.end <= other.interval.start
            same = (one.version, one.loading_run) == (other.version, other.loading_run)
            assert one.interval.end < other.interval.start or not same, "not merged"
        if confirmed:
            parts = [part._replace(loading_run=None) if part.loading_run == run_id else part for part in parts]
            hours = {hour: (of, None if run == run_id else run) for hour, (of, run) in hours.items()}
    recorded = {
        int((hour.start - DAY) / HOUR): (part.version, part.loading_run)
        for part in parts
        for hour in part.interval.periods("hour")
    }
    assert recorded == hours


def test_a_row_of_the_whole_period_is_split_by_a_run_of_an_hour() -> None:
    legacy = [StagedPart(PERIOD, "old")]
    after = periods.staged(
        legacy, files("new"), Interval(DAY + 5 * HOUR, DAY + 6 * HOUR), PERIOD, run_id="r", now=ENDED
    )
    assert [(int((part.interval.end - part.interval.start) / HOUR), part.version) for part in after] == [
        (5, "old"),
        (1, "new"),
        (18, "old"),
    ]


def test_the_version_changes_with_any_object() -> None:
    one, other = S3Object("music", "a", 5, "e1"), S3Object("music", "b", 5, "e1")
    found = [[], [one], [other], [one, other], [one._replace(etag="e2")], [one._replace(size=6)]]
    assert len({PeriodFiles.of(objects).version for objects in found}) == len(found)
    assert PeriodFiles.of([one, other]) == PeriodFiles(PeriodFiles.of([one, other]).version, 2, 10)
    assert PeriodFiles.of([]).version == periods.EMPTY


def changes(*minutes: float, first: str = "v0") -> list[int]:
    """Return ``changes`` after each further version of a period, staged some minutes after its end."""
    parts, found = stage([], first, at=ENDED), []
    for number, minute in enumerate(minutes, 1):
        parts = stage(parts, f"v{number}", at=ENDED + timedelta(minutes=minute))
        found.append(parts[0].changes)
    return found


class TestChanges:
    def test_versions_within_a_day_of_each_other_are_counted(self) -> None:
        assert changes(1, 2, 30) == [1, 2, 3]

    def test_a_day_of_rest_resets_them(self) -> None:
        assert changes(1, 2, 2 + 24 * 60, 3 + 24 * 60) == [1, 2, 0, 1]

    def test_the_same_version_does_not_count(self) -> None:
        parts = stage(stage([], "a", at=ENDED), "b", at=ENDED + HOUR)
        again = stage(parts, "b", at=ENDED + 2 * HOUR)
        assert (parts[0].changes, again[0].changes) == (1, 1)

    def test_changes_before_the_end_of_the_period_are_usual(self) -> None:
        parts = stage([], "a", at=ENDED - HOUR)
        assert stage(parts, "b", at=ENDED)[0].changes == 0


class TestShrunk:
    @pytest.mark.parametrize(("size", "expected"), [(51, None), (50, 100), (0, 100)])
    def test_half_of_the_size_or_less_is_reported(self, size: int, expected: int | None) -> None:
        parts = stage([], "a", at=ENDED, size=100)
        assert stage(parts, "b", at=ENDED, size=size)[0].shrunk_from == expected

    def test_it_remains_until_the_files_change_again(self) -> None:
        parts = stage(stage([], "a", at=ENDED, size=100), "b", at=ENDED, size=10)
        assert stage(parts, "b", at=ENDED, size=10)[0].shrunk_from == 100
        assert stage(parts, "c", at=ENDED, size=90)[0].shrunk_from is None

    def test_vanished_files_have_not_shrunk(self) -> None:
        parts = stage([], "a", at=ENDED)
        gone = periods.staged(parts, PeriodFiles.of([]), PERIOD, PERIOD, run_id="r", now=ENDED)
        assert gone[0].shrunk_from is None
        assert stage(gone, "b", at=ENDED, size=1)[0].shrunk_from is None
