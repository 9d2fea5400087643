"""Dates and times of a COPY, as the integers PostgreSQL's binary format holds.

Formats: "DATEFORMAT and TIMEFORMAT strings" and "Using automatic recognition with DATEFORMAT and TIMEFORMAT"
(https://docs.aws.amazon.com/redshift/latest/dg/r_DATEFORMAT_and_TIMEFORMAT_strings.html).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

from sparkify.copy.errors import BAD_DATE, BAD_TIMESTAMP, FieldError

# PostgreSQL counts days and microseconds from 2000-01-01.
_EPOCH_DAY = date(2000, 1, 1).toordinal()
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
EPOCH_MICROSECONDS = 946_684_800_000_000  # from 1970-01-01 to 2000-01-01
MICROSECONDS = {"epochsecs": 1_000_000, "epochmillisecs": 1_000}
# PostgreSQL's (and Redshift's) timestamps reach from 4713 BC to AD 294276.
_FIRST = -211_813_488_000_000_000
_LAST = 9_223_371_331_199_999_999

_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_TIME = r"(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,6}))?"
_OFFSET = r"([+-])(\d{1,2})(?::?(\d{2}))?"
_TIMESTAMP = re.compile(rf"(\d{{4}})-(\d{{2}})-(\d{{2}}) {_TIME}()()()", re.ASCII)
_TIMESTAMPTZ = re.compile(rf"(\d{{4}})-(\d{{2}})-(\d{{2}}) {_TIME} ?{_OFFSET}", re.ASCII)
# Of the formats that 'auto' recognises on Redshift only the ISO ones are read here, whose meaning does not depend
# on a session's settings; the others are rejected rather than guessed.
_AUTO_DAY = r"(\d{4})-?(\d{2})-?(\d{2})"
_AUTO = re.compile(rf"{_AUTO_DAY}(?:[ T]{_TIME})?()()()", re.ASCII)
_AUTO_TZ = re.compile(rf"{_AUTO_DAY}(?:[ T]{_TIME} ?(?:{_OFFSET}|Z)?)?", re.ASCII)


def epoch_bounds(timeformat: str) -> tuple[int, int]:
    """Return the first and the last epoch value a timestamp holds.

    :param timeformat: ``epochsecs`` or ``epochmillisecs``.
    """
    unit = MICROSECONDS[timeformat]
    return -((-_FIRST - EPOCH_MICROSECONDS) // unit), (_LAST + EPOCH_MICROSECONDS) // unit


def read_date(text: str) -> int:
    """Return the days since 2000-01-01 of a date in the default DATEFORMAT, YYYY-MM-DD.

    :raises FieldError: when it is not one.
    """
    if match := _DATE.fullmatch(text):
        try:
            return date(int(match[1]), int(match[2]), int(match[3])).toordinal() - _EPOCH_DAY
        except ValueError:
            pass
    raise FieldError(BAD_DATE, "Invalid Date Format [YYYY-MM-DD]")


def read_timestamp(text: str, *, zone: bool, auto: bool) -> int:
    """Return the microseconds since 2000-01-01 of a timestamp.

    :param text: in the default TIMEFORMAT, or with ``auto`` any ISO form; a date alone is then midnight.
    :param zone: whether the column is a TIMESTAMPTZ. By default its values need an offset from UTC;
        with ``auto`` a missing one is UTC, Redshift's default time zone. A TIMESTAMP takes no offset.
    :raises FieldError: when it is not one.
    """
    pattern = (_AUTO_TZ if zone else _AUTO) if auto else (_TIMESTAMPTZ if zone else _TIMESTAMP)
    if match := pattern.fullmatch(text):
        year, month, day, hour, minute, second, fraction, sign, hours, minutes = match.groups(default="")
        try:
            moment = datetime(
                int(year),
                int(month),
                int(day),
                int(hour or 0),
                int(minute or 0),
                int(second or 0),
                int(fraction.ljust(6, "0")),
                tzinfo=UTC if not sign else _offset(sign, hours, minutes),
            )
            return (moment - _EPOCH) // timedelta(microseconds=1)
        except (ValueError, OverflowError):
            pass
    shape = "YYYY-MM-DD HH24:MI:SSOF" if zone else "YYYY-MM-DD HH24:MI:SS"
    raise FieldError(BAD_TIMESTAMP, f"Invalid timestamp format or value [{'auto' if auto else shape}]")


def _offset(sign: str, hours: str, minutes: str) -> timezone:
    distance = timedelta(hours=int(hours), minutes=int(minutes or 0))
    return timezone(-distance if sign == "-" else distance)
