"""The days of a request: valid, or an error that says what is expected."""

from __future__ import annotations

from datetime import date

import pytest

from sparkify.web.days import Days, DaysError, DaysRequest

LOADED = (date(2018, 11, 1), date(2018, 11, 30))


def resolved(preset: str | None = None, first: str | None = None, last: str | None = None) -> tuple[str, str]:
    """Return the days of the URL's parameters, with November loaded."""
    days = DaysRequest.parse(preset, first, last).resolve(LOADED)
    return str(days.first), str(days.last)


def test_presets_end_with_the_latest_loaded_day() -> None:
    assert resolved() == resolved("28d") == ("2018-11-03", "2018-11-30")
    assert resolved("7d") == ("2018-11-24", "2018-11-30")
    assert resolved("90d") == ("2018-09-02", "2018-11-30")
    assert resolved("12m") == ("2017-12-01", "2018-11-30")
    assert resolved("all") == ("2018-11-01", "2018-11-30")


def test_days_are_inclusive_and_may_be_open_at_one_end() -> None:
    assert resolved(None, "2018-11-05", "2018-11-05") == ("2018-11-05", "2018-11-05")
    assert resolved(None, "2018-11-05") == ("2018-11-05", "2018-11-30")
    assert resolved(None, None, "2018-11-05") == ("2018-11-01", "2018-11-05")
    assert resolved(None, "1970-01-01", "2199-12-31") == ("1970-01-01", "2199-12-31")


def test_only_relative_days_need_to_know_the_loaded_ones() -> None:
    assert DaysRequest.parse("all", None, None).is_relative
    assert DaysRequest.parse(None, "2018-11-05", None).is_relative
    assert not DaysRequest.parse(None, "2018-11-05", "2018-11-05").is_relative


def test_an_empty_warehouse_has_days() -> None:
    days = DaysRequest.parse("7d", None, None).resolve(None)
    assert (days.last - days.first).days == 6


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        (("8d", None, None), "Invalid range '8d': expected one of 7d, 28d, 90d, 12m, all."),
        (("x" * 999, None, None), f"Invalid range '{'x' * 60}': expected one of"),
        (("7d", "2018-11-01", None), "expected either range, or from and to"),
        ((None, "yesterday", None), "Invalid from 'yesterday': expected a day, such as 2018-11-30."),
        ((None, "", None), "Invalid from ''"),
        ((None, None, "20181101"), "Invalid to '20181101'"),
        ((None, None, "2018-W44-1"), "Invalid to '2018-W44-1'"),
        ((None, "٢٠١٨-١١-٠١", None), "expected a day"),
        ((None, None, "2018-11-31"), "Invalid to '2018-11-31'"),
        ((None, "2018-11-01'; --", None), "expected a day"),
        ((None, "1969-12-31", None), "Invalid from 1969-12-31: expected a day from 1970-01-01 to 2199-12-31."),
        ((None, None, "2200-01-01"), "Invalid to 2200-01-01: expected a day from"),
        ((None, "2018-11-02", "2018-11-01"), "from 2018-11-02 is after to 2018-11-01"),
        ((None, "2018-12-01", None), "expected days from 2018-11-01 to 2018-11-30, which are loaded"),
        ((None, None, "2018-10-31"), "expected days from 2018-11-01 to 2018-11-30, which are loaded"),
    ],
)
def test_invalid_days_are_rejected(parameters: tuple[str | None, str | None, str | None], said: str) -> None:
    with pytest.raises(DaysError) as raised:
        resolved(*parameters)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("first", "last", "start", "end"),
    [
        ("2018-11-01", "2018-11-30", "2018-11-01", "2018-12-01"),
        ("2018-11-02", "2019-02-28", "2018-12-01", "2019-03-01"),
        ("2018-11-01", "2019-01-30", "2018-11-01", "2019-01-01"),
        ("2018-12-31", "2019-02-01", "2019-01-01", "2019-02-01"),
        ("2018-11-02", "2018-11-30", "2018-12-01", "2018-12-01"),
        ("2018-11-02", "2018-12-30", "2018-12-01", "2018-12-01"),
        ("1970-01-01", "2199-12-31", "1970-01-01", "2200-01-01"),
    ],
)
def test_each_day_is_in_a_whole_month_or_by_itself(first: str, last: str, start: str, end: str) -> None:
    days = Days(date.fromisoformat(first), date.fromisoformat(last))
    shown = f"CAST('{start}' AS DATE)", f"CAST('{end}' AS DATE)"
    assert days.predicate("m.month", "whole months") == f"m.month >= {shown[0]} AND m.month < {shown[1]}"
    assert days.predicate("d.day", "days of other months") == (
        f"{days.predicate('d.day')} AND (d.day < {shown[0]} OR d.day >= {shown[1]})"
    )


def test_weeks_and_months_that_the_days_overlap_are_whole() -> None:
    days = Days(date(2018, 11, 15), date(2018, 11, 20))  # a Thursday
    last = "<= CAST('2018-11-20' AS DATE)"
    assert days.predicate("a.day") == f"a.day >= CAST('2018-11-15' AS DATE) AND a.day {last}"
    assert days.predicate("a.week", "week") == f"a.week >= CAST('2018-11-12' AS DATE) AND a.week {last}"
    assert days.predicate("a.month", "month") == f"a.month >= CAST('2018-11-01' AS DATE) AND a.month {last}"
