"""The days that the panels show: a preset relative to the latest loaded day, or from one day to another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sparkify.interval import EARLIEST, LATEST, SHOWN

# The presets, in days up to the latest loaded one; None are all loaded days. The default has each weekday four times.
PRESETS = {"7d": 7, "28d": 28, "90d": 90, "12m": 365, "all": None}
DEFAULT = "28d"
FIRST, LAST = EARLIEST.date(), (LATEST - timedelta(days=1)).date()


class DaysError(ValueError):
    """The requested days are invalid; the message says what is expected."""


@dataclass(frozen=True)
class Days:
    """Consecutive days, UTC.

    :param first: the first day.
    :param last: the last day, inclusive.
    """

    first: date
    last: date

    @classmethod
    def valid(cls) -> Days:
        """Return all days that are neither before 1970 nor in the future."""
        return cls(FIRST, min(datetime.now(UTC).date(), LAST))

    def predicate(self, column: str, unit: str = "day") -> str:
        """Return the SQL predicate of the days, or of the weeks or months that they overlap.

        :param column: a DATE: the day, or the first day of the week or month; qualified.
        :param unit: ``day``, ``week`` or ``month``; or ``whole months``, the months whose days are all included, and
            ``days of other months``, the days outside of these.
        """
        first = self.first
        if unit in ("whole months", "days of other months"):
            start, end = self._whole_months
            if unit == "whole months":
                return f"{column} >= CAST('{start}' AS DATE) AND {column} < CAST('{end}' AS DATE)"
            outside = f"({column} < CAST('{start}' AS DATE) OR {column} >= CAST('{end}' AS DATE))"
            return f"{self.predicate(column)} AND {outside}"
        if unit == "week":
            first -= timedelta(days=min(first.weekday(), (first - FIRST).days))
        elif unit == "month":
            first = first.replace(day=1)
        return f"{column} >= CAST('{first}' AS DATE) AND {column} <= CAST('{self.last}' AS DATE)"

    @property
    def _whole_months(self) -> tuple[date, date]:
        """The first day of the first whole month, and the day after the last one; equal if there is none."""
        start = self.first if self.first.day == 1 else _next_month(self.first)
        after = self.last + timedelta(days=1)
        return start, max(start, after.replace(day=1))


@dataclass(frozen=True)
class DaysRequest:
    """The requested days, not yet relative to the loaded ones.

    :param preset: one of :data:`PRESETS`; None if ``first`` or ``last`` is given.
    :param first: None is the first loaded day.
    :param last: None is the last loaded day.
    """

    preset: str | None = DEFAULT
    first: date | None = None
    last: date | None = None

    @classmethod
    def parse(cls, preset: str | None, first: str | None, last: str | None) -> DaysRequest:
        """Return the request of the URL parameters ``range``, ``from`` and ``to``.

        :raises DaysError: if they are invalid.
        """
        if preset is not None:
            if first is not None or last is not None:
                raise DaysError("Invalid days: expected either range, or from and to.")
            if preset not in PRESETS:
                raise DaysError(f"Invalid range {preset[:SHOWN]!r}: expected one of {', '.join(PRESETS)}.")
            return cls(preset)
        if first is None and last is None:
            return cls()
        request = cls(None, _parse("from", first), _parse("to", last))
        if request.first and request.last and request.first > request.last:
            raise DaysError(f"Invalid days: from {request.first} is after to {request.last}.")
        return request

    def resolve(self, loaded: tuple[date, date] | None) -> Days:
        """Return the requested days.

        :param loaded: the first and the last loaded day; None if no day is loaded.
        :raises DaysError: if the request has one end only, and it is beyond the loaded days.
        """
        today = datetime.now(UTC).date()
        earliest, latest = loaded or (today, today)
        if self.preset is not None:
            length = PRESETS[self.preset]
            return Days(earliest if length is None else max(latest - timedelta(days=length - 1), FIRST), latest)
        first, last = self.first or earliest, self.last or latest
        if first > last:
            raise DaysError(f"Invalid days: expected days from {earliest} to {latest}, which are loaded.")
        return Days(first, last)

    @property
    def is_relative(self) -> bool:
        """Whether it depends on the loaded days."""
        return self.first is None or self.last is None


def _next_month(day: date) -> date:
    """Return the first day of the month after that of a day."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def _parse(name: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            raise ValueError
        day = date.fromisoformat(text)
    except ValueError:
        raise DaysError(f"Invalid {name} {text[:SHOWN]!r}: expected a day, such as 2018-11-30.") from None
    if not FIRST <= day <= LAST:
        raise DaysError(f"Invalid {name} {text}: expected a day from {FIRST} to {LAST}.")
    return day
