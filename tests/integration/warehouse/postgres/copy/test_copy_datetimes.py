"""TIMEFORMAT 'auto' converts text like PostgreSQL's CAST.

"To test whether a date or timestamp value will be automatically converted, use a CAST function" says AWS
(https://docs.aws.amazon.com/redshift/latest/dg/automatic-recognition.html): Redshift's CAST is PostgreSQL's.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sparkify.warehouse.postgres.copy.datetimes import EPOCH_MICROSECONDS, read_timestamp
from sparkify.warehouse.postgres.copy.errors import RecordError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Loader

CAST = """
    SELECT (EXTRACT(EPOCH FROM %s::text::timestamp) * 1000000)::bigint,
        (EXTRACT(EPOCH FROM %s::text::timestamptz) * 1000000)::bigint
"""
MONTHS = ("Jan", "february", "MAR", "Apr", "may", "June", "Jul", "August", "Sep", "Oct", "November", "Dec")


def number(first: int, last: int, *widths: int) -> st.SearchStrategy[str]:
    return st.builds(lambda value, width: f"{value:0{width}}", st.integers(first, last), st.sampled_from(widths))


def joined(*parts: st.SearchStrategy[str] | str) -> st.SearchStrategy[str]:
    return st.tuples(*(st.just(part) if isinstance(part, str) else part for part in parts)).map("".join)


YEAR, SHORT = number(0, 9999, 4), number(0, 99, 2)
MONTH, DAY, NAME = number(0, 13, 1, 2), number(0, 32, 1, 2), st.sampled_from(MONTHS)
DAYS = st.one_of(
    joined(YEAR, "-", MONTH, "-", DAY),
    joined(YEAR | SHORT, number(0, 13, 2), number(0, 32, 2)),
    joined(YEAR, ".", number(0, 367, 3)),
    joined("J", number(0, 9_999_999, 1)),
    joined(MONTH, "/", DAY, "/", YEAR | SHORT),
    joined(number(0, 13, 2), ".", number(0, 32, 2), ".", YEAR),
    joined(NAME, "-", DAY, "-", YEAR | SHORT),
    joined(NAME, " ", DAY, st.sampled_from([",", ", ", " "]), YEAR),
    joined(DAY, "-", NAME, "-", YEAR),
    joined(YEAR, "-", NAME, "-", DAY),
)
FRACTION = joined(".", st.text("0123456789", min_size=1, max_size=7)) | st.just("")
HALF = st.sampled_from(["", "", " AM", "pm"])
CLOCKS = st.one_of(
    joined(number(0, 24, 1, 2), ":", number(0, 60, 2), ":", number(0, 60, 2), FRACTION, HALF),
    joined(number(0, 24, 1, 2), ":", number(0, 60, 2), HALF),
    joined(number(0, 24, 2), number(0, 60, 2), number(0, 60, 2), FRACTION),
)
OFFSET = joined(
    st.sampled_from("+-"), number(0, 16, 1, 2), joined(st.sampled_from([":", ""]), number(0, 60, 2)) | st.just("")
)
ZONES = st.one_of(
    st.just(""),
    joined(st.sampled_from(["", " "]), OFFSET | st.sampled_from(["Z", "z", "UTC", "GMT", "EST", "pdt", "CET", "X"])),
)
TEXTS = st.one_of(
    DAYS,
    joined(DAYS, st.sampled_from([" ", " ", "T", ", "]), CLOCKS, ZONES),
    joined(DAYS, " ", CLOCKS, ZONES, " BC"),
    joined(DAYS, " BC"),
    joined(DAY, " ", NAME, " ", CLOCKS, " ", YEAR, ZONES),
)


@pytest.fixture
def utc(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database, autocommit=True, options="-c timezone=UTC -c datestyle=ISO,MDY") as connection:
        yield connection


@settings(max_examples=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS)
@example("2018-01-01 120000-08:00")
@example("20180101T1200-8:00")
def test_accepted_texts_are_converted_like_cast(utc: psycopg.Connection, text: str):
    try:
        read = [read_timestamp(text, zone=zone, auto=True) for zone in (False, True)]
    except RecordError:
        return
    assert utc.execute(CAST, [text, text]).fetchone() == tuple(value + EPOCH_MICROSECONDS for value in read)


@pytest.mark.parametrize("zone", ["", "Z", "-08", " +05:30", " PST"])
def test_only_a_timestamptz_uses_the_zone(loader: Loader, zone: str):
    hours = {"": 0, "Z": 0, "-08": 8, " +05:30": -5.5, " PST": 8}[zone]
    loader.table("ts timestamp, tz timestamptz")
    loader.put_lines("data", dict.fromkeys(("ts", "tz"), f"2019-02-11 12:00:00{zone}"))
    loader.copy("data", "TIMEFORMAT 'auto'")
    clock = datetime(2019, 2, 11, 12, tzinfo=UTC)
    shifted = datetime.fromtimestamp(clock.timestamp() + hours * 3600, UTC)
    assert loader.rows() == [(clock.replace(tzinfo=None), shifted)]


@pytest.mark.parametrize("text", ["2019-02-11T05:09:12Z", "2019-02-11", "2019-02-11 05:09:12-08", "20190211 050912"])
def test_the_default_is_the_default_format_only(loader: Loader, text: str):
    loader.table("ts timestamp")
    loader.put_lines("good", {"ts": "2019-02-11 05:09:12.195"})
    loader.put_lines("other", {"ts": text})
    loader.copy("good")
    result = loader.copy("other", "MAXERROR 2")
    assert (result.rows, [row.error_code for row in result.rejects]) == (0, [1206])
    assert loader.rows() == [(datetime(2019, 2, 11, 5, 9, 12, 195_000),)]  # noqa: DTZ001 - a TIMESTAMP has no zone
