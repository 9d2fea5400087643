"""Converting one value ("Data conversion parameters", "Load error reference")."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Context, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkify.warehouse.postgres.copy.columns import converter
from sparkify.warehouse.postgres.copy.conversion import ConversionOptions
from sparkify.warehouse.postgres.copy.errors import RecordError
from sparkify.warehouse.postgres.copy.target import Column


def convert(token: bytes | str, kind: str, *, not_null: bool = False, **options: Any) -> Any:
    """Convert a token for a column declared like ``varchar(5)``, ``numeric(8,2)`` or ``int4``."""
    name, *numbers = re.findall(r"\w+", kind)
    arguments = dict(zip(("precision", "scale") if name == "numeric" else ("size",), map(int, numbers), strict=False))
    column = Column("c", name, not_null=not_null, **arguments)
    return converter(column, ConversionOptions(**options))(token.encode() if isinstance(token, str) else token)


DAY = 86_400_000_000  # microseconds


def seconds(*moment: int) -> int:
    """Return the microseconds from 2000-01-01 to a moment."""
    return (datetime(*moment, tzinfo=UTC) - datetime(2000, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("token", "kind", "value"),
    [
        # COPY converts the text of a value: 39 and "39" are equal.
        ("39", "int4", 39),
        ('"39"', "int4", 39),
        ('"+39"', "int4", 39),
        ('"007"', "int4", 7),
        ("-0", "int4", 0),
        ("1540919166796.0", "int8", 1540919166796),
        ("1e3", "int4", 1000),
        ("1E+3", "int2", 1000),
        ("10.50e1", "int2", 105),
        ("-32768", "int2", -32768),
        ("9223372036854775807", "int8", 2**63 - 1),
        ("-9223372036854775808", "int8", -(2**63)),
        ("0e999999999", "int4", 0),
        # By default COPY truncates to the scale (ROUNDEC).
        ("20.259", "numeric(8,2)", Decimal("20.25")),
        ("-20.259", "numeric(8,2)", Decimal("-20.25")),
        ('"20.259"', "numeric(8,2)", Decimal("20.25")),
        ("0.29", "numeric(3,2)", Decimal("0.29")),
        ("9.999", "numeric(3,2)", Decimal("9.99")),
        ("1e2", "numeric(5,2)", Decimal("100.00")),
        ("1e-999999", "numeric(5,2)", Decimal("0.00")),
        ("12345678901234567890123456789012345678", "numeric(38,0)", Decimal("12345678901234567890123456789012345678")),
        ("1.5", "float8", 1.5),
        ('"1.5e3"', "float8", 1500.0),
        ("1", "float8", 1.0),
        ("3.4028234663852886e38", "float4", 3.4028234663852886e38),
        ("1e-400", "float8", 0.0),
        ("true", "bool", True),
        ('"YES"', "bool", True),
        ("1", "bool", True),
        ('"f"', "bool", False),
        ("0", "bool", False),
        ('"2000-01-02"', "date", 1),
        ('"1999-12-31"', "date", -1),
        ('"2000-01-01 00:00:01"', "timestamp", 1_000_000),
        ('"2018-11-01 21:01:46.25"', "timestamp", seconds(2018, 11, 1, 21, 1, 46, 250_000)),
        ('"2000-01-01 00:00:00-8:00"', "timestamptz", seconds(2000, 1, 1, 8)),
        ('"2000-01-01 00:00:00+02"', "timestamptz", -seconds(2000, 1, 1, 2)),
        # Values of another type are converted to text.
        ('"x"', "varchar(5)", "x"),
        ('"fives   "', "char(5)", "fives"),
        ("1.50", "varchar(5)", "1.50"),
        ("true", "varchar(5)", "true"),
        # "COPY from JSON format": the entire object or array is loaded as a string.
        ('["nisi",\n   "culpa"\n]', "varchar(20)", '["nisi","culpa"]'),
        ('{\r\n  "id": 1,\r\n  "name": "Renaldo"\r\n}', "varchar(40)", '{"id": 1,"name": "Renaldo"}'),
        (r'"a\nb\t\\\u00e9"', "varchar(20)", "a\nb\t\\é"),
        ('"😀"', "varchar(4)", "😀"),
        (r'"\ud83d\ude00"', "varchar(4)", "😀"),
        # NULL
        ("null", "varchar(5)", None),
        ("null", "int4", None),
        ('""', "varchar(5)", ""),
        ('""', "int4", None),
        ('"  "', "int4", None),
        ('""', "bool", None),
        ('""', "numeric(8,2)", None),
        ('" \\t"', "timestamp", None),
    ],
)
def test_value(token: str, kind: str, value: object):
    result = convert(token, kind)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("token", "kind", "code", "reason"),
    [
        ("1.5", "int4", 1207, "Invalid digit, Value '.', Pos 1, Type: Integer"),
        ('"1.0"', "int4", 1207, "Invalid digit, Value '.', Pos 1, Type: Integer"),
        ('"abc"', "int8", 1207, "Invalid digit, Value 'a', Pos 0, Type: Long"),
        ('"1_0"', "int2", 1207, "Invalid digit, Value '_', Pos 1, Type: Short"),
        ('" 1"', "int4", 1207, "Pos 0"),
        ('"-"', "int4", 1207, "Pos 1"),
        ('"١"', "int4", 1207, "Pos 0"),
        ("true", "int4", 1207, "Value 't', Pos 0"),
        ("{}", "int4", 1207, "Value '{', Pos 0"),
        ("1e-3", "int4", 1207, "Value 'e', Pos 1"),
        ("32768", "int2", 1222, r"Overflow \(Short valid range -32768 to 32767\)"),
        ("2147483648", "int4", 1222, "Overflow"),
        ("1099511627783", "int4", 1222, "Overflow"),
        ("-9223372036854775809", "int8", 1222, "Overflow"),
        ("9" * 5000, "int8", 1222, "Overflow"),
        ("1e999999999", "int8", 1222, "Overflow"),
        ("1e9999999999999999999999", "int8", 1204, "exponent"),
        ("1000000", "numeric(8,2)", 1204, r"Overflow for NUMERIC\(8,2\)"),
        ("1e999999999", "numeric(38,0)", 1204, "Overflow"),
        ('"1_0"', "numeric(8,2)", 1209, "Invalid digit"),
        ('"NaN"', "numeric(8,2)", 1209, "Invalid digit"),
        ("[1]", "numeric(8,2)", 1209, "Invalid digit"),
        ('"NaN"', "float8", 1208, "Invalid digit"),
        ('"inf"', "float8", 1208, "Invalid digit"),
        ('"0x10"', "float8", 1208, "Invalid digit"),
        ("1e400", "float8", 1204, "Overflow"),
        ('"1e400"', "float8", 1204, "Overflow"),
        ("3.5e38", "float4", 1204, "Overflow"),
        ("2", "bool", 1210, "Unknown boolean format"),
        ('"on"', "bool", 1210, "Unknown boolean format"),
        ('"2018-02-30"', "date", 1205, "Invalid Date Format"),
        ('"11/01/2018"', "date", 1205, "Invalid Date Format"),
        ('"2018-11-01 00:00:00"', "date", 1205, "Invalid Date Format"),
        ('"2018-11-01"', "timestamp", 1206, r"\[YYYY-MM-DD HH24:MI:SS\]"),
        ('"2018-11-01T00:00:00"', "timestamp", 1206, "Invalid timestamp"),
        ('"2018-11-01 24:00:00"', "timestamp", 1206, "Invalid timestamp"),
        ('"2018-11-01 00:00:00+00"', "timestamp", 1206, "Invalid timestamp"),
        ('"2018-11-01 00:00:00"', "timestamptz", 1206, "SSOF"),
        ("1541105830796", "timestamp", 1206, "Invalid timestamp"),
        ('"sixsix"', "varchar(5)", 1204, "String length exceeds DDL length: 6 bytes"),
        ('"ééé"', "varchar(5)", 1204, "6 bytes"),
        ('"ééé  "', "varchar(5)", 1204, "8 bytes"),
        ('"fives x"', "varchar(5)", 1204, "7 bytes"),
        (r'"fives\t"', "varchar(5)", 1204, "6 bytes"),
        (r'"fives\n"', "char(5)", 1204, "6 bytes"),
        (r'"fives\u00a0"', "varchar(5)", 1204, "7 bytes"),
        ('"sixsix"', "char(5)", 1204, "6 bytes"),
        ('"é"', "char(5)", 1220, r"Multibyte character not supported for CHAR .* Invalid char: c3 a9"),
        (r'"a\u0000b"', "varchar(5)", 1218, "NUL|null byte"),
        (b'"a\xa4"', "varchar(5)", 1220, "Bad UTF-8 hex sequence: a4"),
        (b'"\xff"', "int4", 1220, "Bad UTF-8"),
    ],
)
def test_error(token: str | bytes, kind: str, code: int, reason: str):
    with pytest.raises(RecordError, match=reason) as failure:
        convert(token, kind)
    assert failure.value.code == code


@pytest.mark.parametrize("token", ["null", '""', '" "'])
def test_not_null(token: str):
    with pytest.raises(RecordError, match="Missing data for not-null field") as failure:
        convert(token, "int4", not_null=True)
    assert failure.value.code == 1213


def test_an_empty_string_is_not_null_but_emptyasnull_makes_it_so():
    assert convert('""', "varchar(5)", not_null=True) == ""
    with pytest.raises(RecordError, match="not-null"):
        convert('""', "varchar(5)", not_null=True, emptyasnull=True)


@pytest.mark.parametrize(
    ("token", "options", "value"),
    [
        ('""', {"emptyasnull": True}, None),
        ('" "', {"emptyasnull": True}, " "),
        ('"   "', {"blanksasnull": True}, None),
        (r'" \t\n"', {"blanksasnull": True}, None),
        ('""', {"blanksasnull": True}, ""),
        ('" x "', {"blanksasnull": True}, " x "),
        ('"sixsix"', {"truncatecolumns": True}, "sixsi"),
        ('"abcdé"', {"truncatecolumns": True}, "abcd"),
        ('"a😀x"', {"truncatecolumns": True}, "a😀"),
        ('"ab😀"', {"truncatecolumns": True}, "ab"),
        # "Character types": trailing spaces beyond the length, in bytes, are truncated.
        ('"fives  "', {}, "fives"),
        ('"four     "', {}, "four "),
        ('"      "', {}, "     "),
        ('"éé    "', {}, "éé "),
        ('"éé    "', {"blanksasnull": True}, "éé "),
        ('"      "', {"blanksasnull": True}, None),
        ('"fives "', {"truncatecolumns": True}, "fives"),
        # "an invalid three-byte character will be replaced with '^^^'"
        (b'"a\xed\xa0\x80b"', {"acceptinvchars": "^"}, "a^^^b"),
        (b'"a\xa4"', {"acceptinvchars": "?"}, "a?"),
        (b'"\xa4\\""', {"acceptinvchars": '"'}, '""'),
        (b'"\xa4\\u0041"', {"acceptinvchars": "\\"}, "\\A"),
        # "Multibyte character load errors": code points that are valid UTF-8, but not valid characters
        ('"\ufdd0"', {"acceptinvchars": "^"}, "^^^"),
        (r'"\uffff"', {"acceptinvchars": "^"}, "^^^"),
        ('"\U0010ffff"', {"acceptinvchars": "^"}, "^^^^"),
        ('"\ufdd0"', {}, "\ufdd0"),
        ('"é"', {"acceptinvchars": "^"}, "é"),
        ("null", {"acceptinvchars": "^"}, None),
        (b'["\xa4",\n 1]', {"acceptinvchars": "^"}, '["^",1]'),
    ],
)
def test_text_option(token: str | bytes, options: dict[str, Any], value: str | None):
    assert convert(token, "varchar(8)" if "acceptinvchars" in options else "varchar(5)", **options) == value


def test_acceptinvchars_is_for_varchar_only():
    with pytest.raises(RecordError, match="Bad UTF-8"):
        convert(b'"\xa4"', "char(5)", acceptinvchars="?")


@pytest.mark.parametrize(
    ("token", "timeformat", "value"),
    [
        ("1541105830796", "epochmillisecs", seconds(2018, 11, 1, 20, 57, 10, 796_000)),
        ('"1541105830796"', "epochmillisecs", seconds(2018, 11, 1, 20, 57, 10, 796_000)),
        ("1541105830796.0", "epochmillisecs", seconds(2018, 11, 1, 20, 57, 10, 796_000)),
        ("0", "epochsecs", -seconds(2000, 1, 1) - 946_684_800_000_000),
        ("-1", "epochsecs", -946_684_801_000_000),
        ('""', "epochsecs", None),
        ('"2018-11-01"', "auto", seconds(2018, 11, 1)),
        ('"2018-11-01T20:57:10"', "auto", seconds(2018, 11, 1, 20, 57, 10)),
        ('"20181101 20:57:10.5"', "auto", seconds(2018, 11, 1, 20, 57, 10, 500_000)),
        # "Using automatic recognition with DATEFORMAT and TIMEFORMAT", one by one; a TIMESTAMP ignores the zone.
        ('"2019-02-11T05:09:12.195Z"', "auto", seconds(2019, 2, 11, 5, 9, 12, 195_000)),
        ('"J2451187"', "auto", seconds(1999, 1, 8)),
        ('"Jan-08-95 BC"', "auto", seconds(4, 1, 8) - (98 * 365 + 24) * DAY),
        ('"19960108 040809"', "auto", seconds(1996, 1, 8, 4, 8, 9)),
        ('"960108 040809"', "auto", seconds(1996, 1, 8, 4, 8, 9)),
        ('"1996.008"', "auto", seconds(1996, 1, 8)),
        ("1996.008", "auto", seconds(1996, 1, 8)),
        ('"1996-01-08 04:05:06.789"', "auto", seconds(1996, 1, 8, 4, 5, 6, 789_000)),
        ('"17 Dec 07:37:16 1997 PST"', "auto", seconds(1997, 12, 17, 7, 37, 16)),
        ('"12/17/1997 07:37:16.00 PST"', "auto", seconds(1997, 12, 17, 7, 37, 16)),
        ('"1997-12-17 07:37:16-08"', "auto", seconds(1997, 12, 17, 7, 37, 16)),
        ('"12.17.1997 07:37:16.00 PST"', "auto", seconds(1997, 12, 17, 7, 37, 16)),
        ('"J2345678 04:05:06.789"', "auto", seconds(1710, 2, 23, 4, 5, 6, 789_000)),
        # "Examples with datetime types"
        ('"Jun 1,2008 09:59:59 EST"', "auto", seconds(2008, 6, 1, 9, 59, 59)),
        ('"Dec 31,2008 18:20"', "auto", seconds(2008, 12, 31, 18, 20)),
    ],
)
def test_timeformat(token: str, timeformat: str, value: int | None):
    assert convert(token, "timestamp", timeformat=timeformat) == value


@pytest.mark.parametrize(
    ("token", "timeformat"),
    [
        ("1541105830796.5", "epochmillisecs"),
        ('"2018-11-01"', "epochmillisecs"),
        ("9223372036854775807", "epochmillisecs"),
        ("-9223372036854775808", "epochsecs"),
        ('"yesterday"', "auto"),
        ('"2018-W01-1"', "auto"),
        # AWS calls this form DD.MM.YYYY and shows MM.DD.YYYY.
        ('"05.06.1997 07:37:16"', "auto"),
        ('"17.12.1997 07:37:16"', "auto"),
        ('"2018-11-01 20:57:10 Europe/Berlin"', "auto"),
        ('"2018-11-01 20:57:10+16"', "auto"),
        ('"2018-02-30T00:00:00Z"', "auto"),
        ('"0000-01-01"', "auto"),
        ('"2018-11-01 13:05 AM"', "auto"),
        ('"J2451187 BC"', "auto"),
        ("1541105830796", "auto"),
    ],
)
def test_timeformat_error(token: str, timeformat: str):
    with pytest.raises(RecordError, match="Invalid timestamp") as failure:
        convert(token, "timestamp", timeformat=timeformat)
    assert failure.value.code == 1206


@pytest.mark.parametrize(
    ("token", "value"),
    [
        ('"2018-11-01T20:57:10Z"', seconds(2018, 11, 1, 20, 57, 10)),
        ('"2018-11-01 20:57:10+0130"', seconds(2018, 11, 1, 19, 27, 10)),
        ('"1997-12-17 07:37:16-08"', seconds(1997, 12, 17, 15, 37, 16)),
        ('"17 Dec 07:37:16 1997 PST"', seconds(1997, 12, 17, 15, 37, 16)),
        ('"Jun 1,2008 09:59:59 EST"', seconds(2008, 6, 1, 14, 59, 59)),
        ('"2018-11-01 20:57:10"', seconds(2018, 11, 1, 20, 57, 10)),
    ],
)
def test_auto_timestamptz(token: str, value: int):
    assert convert(token, "timestamptz", timeformat="auto") == value


@given(st.integers(-(2**65), 2**65), st.sampled_from([("int2", 16), ("int4", 32), ("int8", 64)]), st.booleans())
def test_integers_are_exact_or_rejected(number: int, kind: tuple[str, int], quoted: bool):
    token = json.dumps(str(number) if quoted else number)
    if -(2 ** (kind[1] - 1)) <= number < 2 ** (kind[1] - 1):
        assert convert(token, kind[0]) == number
    else:
        with pytest.raises(RecordError, match="Overflow"):
            convert(token, kind[0])


@given(st.decimals(-(10**40), 10**40, places=6), st.integers(1, 38), st.data())
def test_numerics_are_truncated_or_rejected(number: Decimal, precision: int, data: st.DataObject):
    scale = data.draw(st.integers(0, precision))
    expected = number.quantize(Decimal(1).scaleb(-scale), ROUND_DOWN, Context(prec=80))
    if abs(number) < Decimal(10) ** (precision - scale):
        assert convert(str(number), f"numeric({precision},{scale})") == expected
    else:
        with pytest.raises(RecordError, match="Overflow"):
            convert(str(number), f"numeric({precision},{scale})")


@given(st.text() | st.tuples(st.text(max_size=12), st.text(" \t")).map("".join), st.integers(1, 12), st.booleans())
def test_text_fits_its_bytes(text: str, size: int, truncate: bool):
    text = text.encode(errors="replace").decode().replace("\0", "")
    try:
        value = convert(json.dumps(text), f"varchar({size})", truncatecolumns=truncate)
    except RecordError:
        assert not truncate
        assert len(text.rstrip(" ").encode()) > size
    else:
        assert len(value.encode()) <= size
        assert text.startswith(value)
        if len(value) < len(text):  # only as much was cut as had to be
            assert truncate or text[len(value) :].isspace()
            assert len((value + text[len(value)]).encode()) > size
