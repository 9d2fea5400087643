"""Convert a JSON value to the value of a column.

The rules are those of "Data conversion parameters"
(https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html): COPY converts the *text* of a
value to the column's type, so "39" and 39 are the same integer. The input is the bytes of the JSON token, with all
digits of a number. PostgreSQL's binary COPY does not check the returned values: they must fit the column.
"""

from __future__ import annotations

import re
from decimal import ROUND_DOWN, Context, Decimal, InvalidOperation
from typing import TYPE_CHECKING

import msgspec

from sparkify.warehouse.postgres.copy import datetimes, errors
from sparkify.warehouse.postgres.copy.errors import RecordError
from sparkify.warehouse.postgres.copy.text import BLANKS, text_converter, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from sparkify.warehouse.postgres.copy.conversion import ConversionOptions
    from sparkify.warehouse.postgres.copy.target import Column

    Value = str | int | float | bool | Decimal | None
    Converter = Callable[[bytes], Value]

# The bits of each type, and its name in Redshift's messages.
INTEGERS = {
    "int2": (16, "Short"),
    "int4": (32, "Integer"),
    "int8": (64, "Long"),
}
FLOAT4_MAX = 3.4028234663852886e38
_DIGITS = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_HUGE = 40  # digits; more than any integer column holds
_BOOLEANS = {  # the literal values of "Boolean type"
    **dict.fromkeys(("true", "t", "yes", "y", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0"), False),
}
_decode_float = msgspec.json.Decoder(float).decode


def converter(column: Column, conversion: ConversionOptions) -> Converter:
    """Return the function that converts a JSON token to a value of a column.

    The function takes the token's bytes, ``b"null"`` if the record lacks the field, and raises
    :class:`RecordError`.
    """
    convert: Converter
    if column.type in ("varchar", "char"):
        convert = text_converter(column, conversion)
    elif column.type in INTEGERS:
        convert = _integer_converter(column, conversion)
    else:
        convert = _plain_converter(column, conversion)
    if not column.not_null:
        return convert

    def required(token: bytes) -> Value:
        value = convert(token)
        if value is None:
            raise RecordError(errors.NOT_NULL, "Missing data for not-null field")
        return value

    return required


def _plain_converter(column: Column, conversion: ConversionOptions) -> Converter:
    convert = _READERS[column.type](column, conversion)

    def plain(token: bytes) -> Value:
        text = text_of(token)
        # "Blank fields for other data types, such as INT, are always loaded with NULL."
        if text is None or not text.strip(BLANKS):
            return None
        return convert(text, token[0] != 0x22)

    return plain


def _integer_converter(column: Column, conversion: ConversionOptions) -> Converter:
    convert = _plain_converter(column, conversion)
    safe = len(str(1 << (INTEGERS[column.type][0] - 1))) - 1  # this many digits always fit

    def integer(token: bytes) -> Value:
        # A shortcut for nearly all integers, including those in strings, such as the public log's userId.
        digits = token[1:-1] if token[0] == 0x22 else token
        if len(digits) <= safe and digits.isdigit():
            return int(digits)
        return convert(token)

    return integer


def read_integer(text: str, number: bool, type_name: str) -> int:
    """Return the integer value of a text.

    AWS does not document 1.0 in an integer column. A JSON *number* is a value, so 1.0 and 1e3 load and 1.5 does not; a
    *string* is text, in which all characters but digits are invalid.
    """
    if _DIGITS.fullmatch(text) or (number and _NUMBER.fullmatch(text)):
        value = _decimal(text)
        if value and value.adjusted() >= _HUGE:  # not int(), which would create all digits of 1e999999
            huge: int = 10**_HUGE
            return huge if value > 0 else -huge
        if value == value.to_integral_value():
            return int(value)
    position = len(re.match(r"[+-]?[0-9]*", text)[0])  # type: ignore[index]  # matches every text
    shown = text[position : position + 1]
    raise RecordError(errors.BAD_DIGIT, f"Invalid digit, Value '{shown}', Pos {position}, Type: {type_name}", position)


def _integer(column: Column, conversion: ConversionOptions) -> Callable[[str, bool], Value]:
    bits, name = INTEGERS[column.type]
    limit = 1 << (bits - 1)

    def convert(text: str, number: bool) -> Value:
        value = read_integer(text, number, name)
        if -limit <= value < limit:
            return value
        raise RecordError(errors.INTEGER_OVERFLOW, f"Overflow ({name} valid range {-limit} to {limit - 1})")

    return convert


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent of more than 18 digits
        raise RecordError(errors.OUT_OF_RANGE, "Numeric data overflow: the exponent is out of range") from None


def _numeric(column: Column, conversion: ConversionOptions) -> Callable[[str, bool], Value]:
    precision, scale = column.precision, column.scale
    unit = Decimal(1).scaleb(-scale)
    context = Context(prec=precision + 1)

    def convert(text: str, number: bool) -> Value:
        if not _NUMBER.fullmatch(text):
            raise RecordError(errors.BAD_DECIMAL, "Invalid digit in a NUMERIC value")
        value = _decimal(text)
        if value and value.adjusted() >= precision - scale:
            raise RecordError(errors.OUT_OF_RANGE, f"Overflow for NUMERIC({precision},{scale})")
        # "By default, COPY truncates values when necessary to fit the scale" (ROUNDEC). Redshift converts a
        # JSON number to a double first and may lose the last digit ("Loss of numeric precision"); this engine does not.
        return value.quantize(unit, ROUND_DOWN, context)

    return convert


def _float(column: Column, conversion: ConversionOptions) -> Callable[[str, bool], Value]:
    limit = FLOAT4_MAX if column.type == "float4" else float("inf")

    def convert(text: str, number: bool) -> Value:
        if not _NUMBER.fullmatch(text):  # including NaN and Infinity: AWS does not document that COPY reads them
            raise RecordError(errors.BAD_FLOAT, "Invalid digit in a floating point value")
        try:
            # The decoder of the fast path: both must return the same zero for "-0".
            value = _decode_float(text) if number else float(text)
        except msgspec.DecodeError:
            value = float("inf")
        if abs(value) > limit or abs(value) == float("inf"):
            raise RecordError(errors.OUT_OF_RANGE, f"Overflow for {column.type}")
        return value

    return convert


def _boolean(column: Column, conversion: ConversionOptions) -> Callable[[str, bool], Value]:
    def convert(text: str, number: bool) -> Value:
        value = _BOOLEANS.get(text.lower())
        if value is None:
            raise RecordError(errors.BAD_BOOLEAN, "Unknown boolean format")
        return value

    return convert


def _date(column: Column, conversion: ConversionOptions) -> Callable[[str, bool], Value]:
    return lambda text, number: datetimes.read_date(text)


def _timestamp(column: Column, conversion: ConversionOptions) -> Callable[[str, bool], Value]:
    timeformat = conversion.timeformat
    zone = column.type == "timestamptz"
    if timeformat is None or timeformat == "auto":
        return lambda text, number: datetimes.read_timestamp(text, zone=zone, auto=timeformat == "auto")
    unit = datetimes.MICROSECONDS[timeformat]
    first, last = datetimes.epoch_bounds(timeformat)

    def convert(text: str, number: bool) -> Value:
        try:
            value = read_integer(text, number, "Long")
        except RecordError:
            value = last + 1
        if not first <= value <= last:
            raise RecordError(errors.BAD_TIMESTAMP, f"Invalid timestamp format or value [{timeformat}]")
        return value * unit - datetimes.EPOCH_MICROSECONDS

    return convert


_READERS: dict[str, Callable[[Column, ConversionOptions], Callable[[str, bool], Value]]] = {
    "int2": _integer,
    "int4": _integer,
    "int8": _integer,
    "numeric": _numeric,
    "float4": _float,
    "float8": _float,
    "bool": _boolean,
    "date": _date,
    "timestamp": _timestamp,
    "timestamptz": _timestamp,
}
