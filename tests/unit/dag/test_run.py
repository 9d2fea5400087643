"""The interval that a DAG run owns."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from hypothesis import given
from hypothesis import strategies as st

from sparkify.dag.run import InvalidRunError, day_of_run, interval_of_run
from sparkify.interval import EARLIEST, LATEST, LONGEST, Interval
from tests.unit.test_interval import inputs

START = datetime(2018, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def run(start: datetime | None = None, end: datetime | None = None) -> Any:
    return SimpleNamespace(data_interval_start=start, data_interval_end=end)


def test_a_run_owns_its_data_interval() -> None:
    assert interval_of_run(run(START, START + HOUR), {"start": None, "end": None}) == Interval(START, START + HOUR)


def test_a_run_without_params_owns_its_data_interval() -> None:
    assert interval_of_run(run(START, START + HOUR), {}) == Interval(START, START + HOUR)


@pytest.mark.parametrize("dag_run", [run(), run(START, START), run(START, START + HOUR)])
def test_params_come_before_the_data_interval(dag_run: Any) -> None:
    params = {"start": "2018-12-01T00:00:00Z", "end": "2019-01-01T00:00:00Z"}
    assert interval_of_run(dag_run, params) == Interval.parse("2018-12-01", "2019-01-01")


@pytest.mark.parametrize(
    ("dag_run", "params", "message"),
    [
        (
            run(START, START + HOUR),
            {"start": "2018-11-01"},
            "start='2018-11-01' and end=None: the param end is missing.*Set both",
        ),
        (run(START, START + HOUR), {"end": "2018-11-01"}, "the param start is missing.*Set both"),
        (run(), {"start": "yesterday", "end": "2018-11-01"}, "start='yesterday' and .*ISO 8601"),
        (run(), {"start": "2018-11-02", "end": "2018-11-01"}, "Invalid range.*must end after.*end is exclusive"),
        (run(), {"start": "2018-11-01", "end": "2018-11-01"}, "Invalid range.*must end after"),
        (run(), {}, "no interval: .*Trigger the DAG again with the params start and end"),
        (run(START), {}, "no interval"),
        (run(START, START), {}, "Invalid data interval of this run: .*must end after.*CronDataIntervalTimetable"),
        (
            run(),
            {"start": "0001-01-01T00:00:00+14:00", "end": "2018-11-01"},
            "out of range, expected 1970-01-01 to",
        ),
        (run(), {"start": "2018-11-01", "end": "9999-12-31T23:00:00-14:00"}, "out of range"),
        (run(), {"start": "0218-11-01", "end": "2018-11-02"}, "'0218-11-01' is out of range"),
        (run(), {"start": "1998-11-01", "end": "2018-11-02"}, "7,306 days long and one run loads at most 3,653.*years"),
        (run(), {"start": 5, "end": "2018-11-02"}, "'5' is not a valid ISO 8601 time"),
        (run(EARLIEST, LATEST), {}, "Invalid data interval of this run: .* days long"),
    ],
)
def test_a_run_without_an_interval_fails_for_good(dag_run: Any, params: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRunError, match=message) as caught:
        interval_of_run(dag_run, params)
    assert isinstance(caught.value, AirflowFailException)
    assert re.search("[Tt]rigger the DAG again with .*: clearing the task cannot change", str(caught.value))


def test_a_partition_is_a_day() -> None:
    day = day_of_run(SimpleNamespace(partition_key="2018-11-01"))
    assert day == Interval(START, START + timedelta(days=1))


@pytest.mark.parametrize(
    "key",
    [
        None,
        "",
        "yesterday",
        "2018-11-31",
        "2018-11-01T05",
        "2018-11",
        "9999-12-31",
        "2200-01-01",
        "1969-12-31",
        "0218-11-01",
    ],
)
def test_a_run_without_a_day_fails_for_good(key: str | None) -> None:
    with pytest.raises(
        InvalidRunError, match=r"not a date from 1970-01-01.*Trigger the DAG again with a partition key such as"
    ):
        day_of_run(SimpleNamespace(partition_key=key))


@given(inputs, inputs, inputs, inputs)
def test_any_run_has_an_interval_that_it_can_load_or_the_documented_error(
    start: Any, end: Any, first: Any, after: Any
) -> None:
    try:
        interval = interval_of_run(run(start, end), {"start": first, "end": after})
    except AirflowFailException as error:
        assert len(str(error)) < 1_000
        return
    assert interval.end - interval.start <= LONGEST


@given(st.one_of(st.none(), st.text(), st.dates().map(str)))
def test_any_partition_key_is_a_day_or_the_documented_error(key: str | None) -> None:
    with suppress(AirflowFailException):
        day = day_of_run(SimpleNamespace(partition_key=key))
        assert EARLIEST <= day.start < day.end <= LATEST
