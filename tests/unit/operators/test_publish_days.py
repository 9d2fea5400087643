"""The days that a run publishes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException
from airflow.sdk.execution_time.context import OutletEventAccessors
from hypothesis import given
from hypothesis import strategies as st

from sparkify.dag.assets import DAYS
from sparkify.interval import Interval
from sparkify.operators import PublishDaysOperator
from sparkify.operators.publish_days import completed_days

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
START = datetime(2018, 11, 1, tzinfo=UTC)
LATER = START + 100 * DAY

hours = st.integers(0, 24 * 5).map(lambda number: START + number * HOUR)


def published(interval: Interval, *, run_type: str = "scheduled", clear_number: int = 0) -> tuple[set[str], Any]:
    """Return the partitions and the extra of the asset events."""
    task = PublishDaysOperator(
        task_id="publish_days",
        outlets=[DAYS],
        interval_start=interval.start.isoformat(),
        interval_end=interval.end.isoformat(),
    )
    events = OutletEventAccessors()
    context: Any = {
        "dag_run": SimpleNamespace(run_type=run_type, clear_number=clear_number),
        "outlet_events": events,
    }
    task.execute(context)
    return events[DAYS].partition_keys, events[DAYS].extra


def hour(number: int) -> Interval:
    """Return the interval that the run of an hour loads: the whole day if it closes the day."""
    return Interval(START + number * HOUR, START + (number + 1) * HOUR).closing("day")


@pytest.mark.parametrize("only_closed", [False, True])
def test_hourly_runs_complete_a_day_once(only_closed: bool) -> None:
    found = [completed_days(hour(n), START + (n + 1) * HOUR, only_closed=only_closed) for n in range(48)]
    assert [(n, days) for n, days in enumerate(found) if days] == [(23, ["2018-11-01"]), (47, ["2018-11-02"])]


def test_a_backfill_completes_a_day_once() -> None:
    found = [completed_days(hour(n), LATER, only_closed=True) for n in range(48)]
    assert [(n, days) for n, days in enumerate(found) if days] == [(23, ["2018-11-01"]), (47, ["2018-11-02"])]


def test_reloading_an_hour_of_a_past_day_publishes_the_day() -> None:
    assert completed_days(hour(5), LATER, only_closed=False) == ["2018-11-01"]


def test_a_range_completes_its_days_and_changes_the_last() -> None:
    span = Interval(START + 6 * HOUR, START + 2 * DAY + 6 * HOUR)
    assert completed_days(span, LATER, only_closed=True) == ["2018-11-01", "2018-11-02"]
    assert completed_days(span, LATER, only_closed=False) == ["2018-11-01", "2018-11-02", "2018-11-03"]


@given(hours, st.integers(1, 100), hours, st.booleans())
def test_no_day_is_complete_before_its_end(start: datetime, length: int, now: datetime, only_closed: bool) -> None:
    for day in completed_days(Interval(start, start + length * HOUR), now, only_closed=only_closed):
        assert datetime.fromisoformat(day).replace(tzinfo=UTC) + DAY <= now


@pytest.mark.parametrize(
    "run", [{"run_type": "scheduled"}, {"run_type": "manual"}, {"run_type": "backfill", "clear_number": 1}]
)
def test_a_run_that_reprocesses_an_hour_publishes_its_day(run: dict[str, Any]) -> None:
    keys, extra = published(hour(5), **run)
    assert keys == {"2018-11-01"}
    assert extra["days"] == 1


def test_a_run_that_completes_no_day_is_skipped_without_an_event() -> None:
    with pytest.raises(AirflowSkipException, match="completes no day"):
        published(hour(5), run_type="backfill")


def test_each_day_of_a_range_is_an_event() -> None:
    keys, _ = published(Interval(START, START + 3 * DAY), run_type="manual")
    assert keys == {"2018-11-01", "2018-11-02", "2018-11-03"}
