"""Convert dates and times to the integers of PostgreSQL's binary format.

Formats: "DATEFORMAT and TIMEFORMAT strings" and "Using automatic recognition with DATEFORMAT and TIMEFORMAT"
(https://docs.aws.amazon.com/redshift/latest/dg/r_DATEFORMAT_and_TIMEFORMAT_strings.html,
https://docs.aws.amazon.com/redshift/latest/dg/automatic-recognition.html).

With 'auto' a TIMESTAMP keeps the clock time and ignores the zone; a TIMESTAMPTZ is converted to UTC. AWS does not
document this for COPY, but that CAST converts as 'auto' does, and an INSERT: 'Jun 1,2008 09:59:59 EST' becomes 09:59:59
in a TIMESTAMP and 14:59:59+00 in a TIMESTAMPTZ ("Examples with datetime types",
https://docs.aws.amazon.com/redshift/latest/dg/r_Examples_with_datetime_types.html). PostgreSQL's CAST does the same.
"""

from __future__ import annotations

import re
from datetime import date, time
from typing import TYPE_CHECKING

from sparkify.warehouse.postgres.copy.errors import BAD_DATE, BAD_TIMESTAMP, RecordError

if TYPE_CHECKING:
    from collections.abc import Mapping

# PostgreSQL counts days and microseconds from 2000-01-01.
_EPOCH_DAY = date(2000, 1, 1).toordinal()
_EPOCH_JULIAN = 2_451_545
EPOCH_MICROSECONDS = 946_684_800_000_000  # from 1970-01-01 to 2000-01-01
MICROSECONDS = {"epochsecs": 1_000_000, "epochmillisecs": 1_000}
# PostgreSQL's (and Redshift's) timestamps reach from 4713 BC to AD 294276.
_FIRST = -211_813_488_000_000_000
_LAST = 9_223_371_331_199_999_999

_DAY = r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})"
_CLOCK = r"(?P<hour>\d{2}):(?P<minute>\d{2}):(?P<second>\d{2})(?:\.(?P<fraction>\d{1,6}))?"
_OFFSET = r"(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?"
_DATE = re.compile(_DAY, re.ASCII)
_TIMESTAMP = (re.compile(f"{_DAY} {_CLOCK}", re.ASCII),)
_TIMESTAMPTZ = (re.compile(f"{_DAY} {_CLOCK} ?{_OFFSET}", re.ASCII),)

# The formats of 'auto': those of its page, and the month names, missing seconds, AM and PM of "Date, time, and
# timestamp literals" (https://docs.aws.amazon.com/redshift/latest/dg/r_Date_and_time_literals.html).
# Hours from UTC; AWS lists more zones, which are rejected here.
_ZONES = {"Z": 0, "UTC": 0, "GMT": 0}
_ZONES |= {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ENDINGS = ("uary", "ruary", "ch", "il", "", "e", "y", "ust", "tember", "ober", "ember", "ember")
_MONTH = f"(?P<name>{'|'.join(f'{name}(?:{rest})?' for name, rest in zip(_MONTHS, _ENDINGS, strict=True))})"
# Without colons, "-08:00" must not follow directly: PostgreSQL's CAST takes both together for a date.
_ANY_CLOCK = (
    r"(?!\d{4}(?:\d\d)?-\d{1,2}:)(?P<hour>\d{2}|\d(?=:))(?P<colon>:?)(?P<minute>\d{2})"
    r"(?:(?P=colon)(?P<second>\d{2})(?:\.(?P<fraction>\d{1,6}))?)?"
)
_NAMED_ZONE = f"(?P<zone>{'|'.join(_ZONES)})"
_ANY_ZONE = f"(?: ?(?:{_OFFSET}|{_NAMED_ZONE}|(?P<half>[AP]M)))?"
_ISO_DAYS = (
    r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})",
    r"(?P<year>\d{4}|\d{2})(?P<month>\d{2})(?P<day>\d{2})",
)
_AUTO = tuple(
    re.compile(form, re.ASCII | re.IGNORECASE)
    for form in (
        *(f"{day}T{_ANY_CLOCK}{_ANY_ZONE}" for day in _ISO_DAYS),
        *(
            f"{day}(?: {_ANY_CLOCK}{_ANY_ZONE}|(?P<bc> BC))?"
            for day in (
                *_ISO_DAYS,
                r"(?P<year>\d{4})\.(?P<yearday>\d{3})",
                r"J(?P<julian>\d{1,7})",
                r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4}|\d{2})",
                # AWS names it DD.MM.YYYY and shows MM.DD.YYYY: only a day above 12 is unambiguous.
                r"(?P<month>\d{2})\.(?P<day>1[3-9]|[23]\d)\.(?P<year>\d{4})",
                rf"{_MONTH}[- ](?P<day>\d{{1,2}})(?:-|, ?| )(?P<year>\d{{4}}|\d{{2}})",
                rf"(?P<day>\d{{1,2}})[- ]{_MONTH}[- ](?P<year>\d{{4}})",
                rf"(?P<year>\d{{4}})-{_MONTH}-(?P<day>\d{{1,2}})",
            )
        ),
        rf"(?P<day>\d{{1,2}}) {_MONTH} {_CLOCK} (?P<year>\d{{4}})(?: {_NAMED_ZONE})?",
    )
)


def epoch_bounds(timeformat: str) -> tuple[int, int]:
    """Return the first and the last epoch value that a timestamp can hold.

    :param timeformat: ``epochsecs`` or ``epochmillisecs``.
    """
    unit = MICROSECONDS[timeformat]
    return -((-_FIRST - EPOCH_MICROSECONDS) // unit), (_LAST + EPOCH_MICROSECONDS) // unit


def read_date(text: str) -> int:
    """Return the days since 2000-01-01 of a date in the default DATEFORMAT, YYYY-MM-DD.

    :raises RecordError: if it is invalid.
    """
    if match := _DATE.fullmatch(text):
        try:
            return date(int(match[1]), int(match[2]), int(match[3])).toordinal() - _EPOCH_DAY
        except ValueError:
            pass
    raise RecordError(BAD_DATE, "Invalid Date Format [YYYY-MM-DD]")


def read_timestamp(text: str, *, zone: bool, auto: bool) -> int:
    """Return the microseconds since 2000-01-01 of a timestamp.

    :param text: in the default TIMEFORMAT, or with ``auto`` in any format that 'auto' recognises; a date alone is then
        midnight.
    :param zone: whether the column is a TIMESTAMPTZ. By default its values need an offset from UTC;
        with ``auto`` a missing one is UTC, Redshift's default time zone.
    :raises RecordError: if it is invalid.
    """
    for pattern in _AUTO if auto else (_TIMESTAMPTZ if zone else _TIMESTAMP):
        if match := pattern.fullmatch(text):
            try:
                value = _microseconds(match.groupdict(), zone=zone)
            except ValueError:
                break
            if _FIRST <= value <= _LAST:
                return value
    shape = "YYYY-MM-DD HH24:MI:SSOF" if zone else "YYYY-MM-DD HH24:MI:SS"
    raise RecordError(BAD_TIMESTAMP, f"Invalid timestamp format or value [{'auto' if auto else shape}]")


def _microseconds(found: Mapping[str, str | None], *, zone: bool) -> int:
    """Return the microseconds since 2000-01-01 of a matched timestamp; raise ValueError if a part is out of range."""
    hour = int(found["hour"] or 0)
    if half := found.get("half"):
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + 12 * (half.upper() == "PM")
    clock = time(hour, int(found["minute"] or 0), int(found["second"] or 0))
    seconds = _days(found) * 86_400 + clock.hour * 3600 + clock.minute * 60 + clock.second
    offset = _offset(found)
    if zone:
        seconds -= offset
    return seconds * 1_000_000 + int((found["fraction"] or "").ljust(6, "0"))


def _days(found: Mapping[str, str | None]) -> int:
    """Return the days since 2000-01-01."""
    if julian := found.get("julian"):
        if found.get("bc"):
            raise ValueError(julian)
        return int(julian) - _EPOCH_JULIAN
    digits = found["year"] or ""
    year = int(digits)
    if found.get("bc"):
        year = -year
    elif len(digits) == 2:
        year += 2000 if year < 70 else 1900
    if year == 0:
        raise ValueError(digits)
    if year < 0:
        year += 1  # the year before AD 1 is 1 BC
    name = found.get("name")
    month = _MONTHS.index(name[:3].capitalize()) + 1 if name else int(found.get("month") or 1)
    cycles, year = divmod(year, 400)  # the calendar repeats every 400 years; Python's begins with AD 1
    first = date(year + 400, month, int(found.get("day") or 1)).toordinal() + (cycles - 1) * 146_097 - _EPOCH_DAY
    number = int(found.get("yearday") or 1)
    if not 1 <= number <= 366:
        raise ValueError(number)
    return first + number - 1


def _offset(found: Mapping[str, str | None]) -> int:
    """Return the offset of a zone from UTC, in seconds; 0 without a zone."""
    if zone := found.get("zone"):
        return _ZONES[zone.upper()] * 3600
    hours, minutes = int(found.get("hours") or 0), int(found.get("minutes") or 0)
    if hours > 15 or minutes > 59:
        raise ValueError(hours, minutes)
    return (hours * 60 + minutes) * (-60 if found.get("sign") == "-" else 60)
