"""The text of JSON values, and its conversion for VARCHAR and CHAR columns.

"Data conversion parameters" (https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html),
"Multibyte character load errors" (https://docs.aws.amazon.com/redshift/latest/dg/multi-byte-character-load-errors.html)
and, for blanks past the end of a column, "Character types"
(https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html); AWS does not mention them for COPY itself.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import msgspec

from sparkify.warehouse.postgres.copy import errors
from sparkify.warehouse.postgres.copy.errors import RecordError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sparkify.warehouse.postgres.copy.conversion import ConversionOptions
    from sparkify.warehouse.postgres.copy.target import Column

BLANKS = " \t\n\v\f\r"
# ACCEPTINVCHARS replaces bytes that are not UTF-8 (decoded by surrogateescape), and the code points that "Multibyte
# character load errors" lists as not valid.
_PLANE_ENDS = "".join(chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF))
_INVALID = re.compile(f"[\udc80-\udcff\ufdd0-\ufdef{_PLANE_ENDS}]")
_LAYOUT = re.compile(rb"[ \t]*[\r\n]\s*")
_decode_string = msgspec.json.Decoder(str).decode


def text_of(token: bytes) -> str | None:
    """Return the text of a JSON token: the characters of a string, otherwise the JSON itself; None for null.

    Line breaks and indentation in objects and arrays are removed, as in the example of "COPY from JSON format".

    :raises RecordError: if a string is not UTF-8.
    """
    if token == b"null":
        return None
    try:
        if token[0] == 0x22:
            return _decode_string(token)
        return _LAYOUT.sub(b"", token).decode()
    except UnicodeDecodeError as error:
        raise _bad_utf8(error) from None


def _bad_utf8(error: UnicodeDecodeError) -> RecordError:
    sequence = error.object[error.start : error.end].hex(" ")
    reason = f"String contains invalid or unsupported UTF-8 codepoints. Bad UTF-8 hex sequence: {sequence}"
    return RecordError(errors.BAD_UTF8, reason, error.start)


def text_converter(column: Column, conversion: ConversionOptions) -> Callable[[bytes], str | None]:
    """Return the function that converts a JSON token to the text of a ``varchar`` or ``char`` column.

    The function raises :class:`RecordError`.
    """
    size = column.size
    single_byte = column.type == "char"
    # "ACCEPTINVCHARS is valid only for VARCHAR columns."
    replacement = None if single_byte else conversion.acceptinvchars

    def convert(token: bytes) -> str | None:
        text = text_of(token) if replacement is None else _replaced(token, replacement)
        if text is None or (conversion.emptyasnull and not text):
            return None
        if conversion.blanksasnull and text and not text.strip(BLANKS):
            return None
        if "\0" in text:
            # Redshift stores a NUL like any other character; PostgreSQL cannot. Reject the row, do not alter the value.
            raise RecordError(errors.NUL_BYTE, "Invalid null byte: PostgreSQL cannot store it", text.index("\0"))
        if text.isascii():
            length = len(text)
        elif single_byte:
            position, character = next((i, c) for i, c in enumerate(text) if not c.isascii())
            reason = "Multibyte character not supported for CHAR (Hint: Try using VARCHAR). Invalid char: "
            raise RecordError(errors.BAD_UTF8, reason + character.encode().hex(" "), position)
        else:
            length = len(text.encode())
        if length <= size:
            return text
        encoded = text.encode()
        # "If the extra characters are all spaces (blanks), the string is truncated to the maximum length."
        if conversion.truncatecolumns or not encoded[size:].strip(b" "):
            return encoded[:size].decode(errors="ignore")  # ignore: a character that is cut in two
        raise RecordError(errors.OUT_OF_RANGE, f"String length exceeds DDL length: {length} bytes", size)

    return convert


def _replaced(token: bytes, replacement: str) -> str | None:
    """Return a token's text, with one replacement character for each byte of an invalid character."""
    if token[:1] != b'"':
        text = _LAYOUT.sub(b"", token).decode(errors="surrogateescape") if token != b"null" else None
    else:
        # Not msgspec: it rejects surrogates, which represent the invalid bytes here.
        text = json.loads(token.decode(errors="surrogateescape"))
    return text and _INVALID.sub(
        lambda match: replacement * len(match[0].encode(errors="surrogateescape")),
        text,
    )
