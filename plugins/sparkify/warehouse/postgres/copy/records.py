"""Convert the JSON of one record to the row to load, field by field.

This is the exact reader. :mod:`.fast` returns the same rows for the records that it supports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sparkify.warehouse.postgres.copy.columns import converter
from sparkify.warehouse.postgres.copy.errors import BAD_LINE, BAD_UTF8, RecordError
from sparkify.warehouse.postgres.copy.text import text_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sparkify.warehouse.postgres.copy.columns import Value
    from sparkify.warehouse.postgres.copy.conversion import ConversionOptions
    from sparkify.warehouse.postgres.copy.jsonpaths import Path
    from sparkify.warehouse.postgres.copy.target import Column

_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_check = msgspec.json.Decoder(msgspec.Raw).decode
_NULL = b"null"


class RecordReader:
    """Converts records to rows.

    :param columns: the columns to load.
    :param conversion: the conversion parameters of the COPY.
    :param paths: one path per column; None to match the members of an object by name.
    :param ignorecase: whether names match regardless of case.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        conversion: ConversionOptions,
        *,
        paths: Sequence[Path] | None = None,
        ignorecase: bool = False,
    ) -> None:
        self.columns = tuple(columns)
        self.conversion = conversion
        self.paths = paths
        self.ignorecase = ignorecase
        self.converters = tuple(converter(column, conversion) for column in columns)

    def members(self, record: bytes) -> Mapping[str, msgspec.Raw]:
        """Return the members of a record that is an object; of duplicate names the last, as JSON parsers do.

        :raises RecordError: if it is not an object, or is malformed.
        """
        try:
            return _decode_object(record)
        except UnicodeDecodeError as error:
            raise _invalid_name(error) from None
        except msgspec.ValidationError:
            # "If your data files use arrays, you must specify a JSONPaths file."
            reason = "Invalid value: an array at the root needs a JSONPaths file"
            raise RecordError(BAD_LINE, reason) from None
        except (msgspec.DecodeError, RecursionError) as error:
            raise _malformed(error) from None

    def read(self, record: bytes) -> list[Value]:
        """Return the row of a record: one value per column.

        :raises RecordError: if the record cannot be loaded.
        """
        tokens = self._tokens(record)
        row: list[Value] = []
        for column, convert, token in zip(self.columns, self.converters, tokens, strict=True):
            try:
                row.append(convert(token))
            except RecordError as error:
                error.column, error.value = column, _text(token)
                raise
        return row

    def _tokens(self, record: bytes) -> list[bytes]:
        if self.paths is not None:
            return self._tokens_by_path(self.paths, record)
        members = self.members(record)
        if self.ignorecase:
            members = {name.lower(): token for name, token in members.items()}
        found = [members.get(column.name) for column in self.columns]
        return [_NULL if token is None else bytes(token) for token in found]

    def _tokens_by_path(self, paths: Sequence[Path], record: bytes) -> list[bytes]:
        try:
            _check(record)
        except (msgspec.DecodeError, RecursionError) as error:
            raise _malformed(error) from None
        tokens = []
        for column, path in zip(self.columns, paths, strict=True):
            try:
                token = _find(path, record)
            except RecordError as error:
                error.column = column
                raise
            tokens.append(_NULL if token is None else token)
        return tokens


def _find(path: Path, record: bytes) -> bytes | None:
    try:
        return path.find(record)
    except UnicodeDecodeError as error:
        raise _invalid_name(error) from None


def _invalid_name(error: UnicodeDecodeError) -> RecordError:
    reason = f"String contains invalid or unsupported UTF-8 codepoints in a name ({error.reason})"
    return RecordError(BAD_UTF8, reason)


def _malformed(error: Exception) -> RecordError:
    """Wrap the decoder's error, whose message ends in "(byte 12)" if the position is known."""
    text = str(error).removeprefix("JSON is malformed: ")
    reason, _, position = text.partition(" (byte ")
    at = int(position.rstrip(")")) if position else 0
    return RecordError(BAD_LINE, f"Invalid value: {reason}", at, malformed=True)


def _text(token: bytes) -> str:
    """Return the text of a field before its conversion; invalid bytes are replaced."""
    try:
        return text_of(token) or ""
    except RecordError:
        return token.decode(errors="replace")
