"""Turn the JSON of one record into the row to load: exactly, field by field.

:mod:`.fast` does the same for the records it can decide, and leaves the others to this one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sparkify.warehouse.postgres.copy.columns import converter
from sparkify.warehouse.postgres.copy.errors import BAD_LINE, BAD_UTF8, FieldError
from sparkify.warehouse.postgres.copy.text import text_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sparkify.warehouse.postgres.copy.columns import Value
    from sparkify.warehouse.postgres.copy.conversion import Conversion
    from sparkify.warehouse.postgres.copy.jsonpaths import Path
    from sparkify.warehouse.postgres.copy.table import Column

_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_check = msgspec.json.Decoder(msgspec.Raw).decode
_NULL = b"null"


class RecordError(ValueError):
    """A record cannot be loaded.

    :param column: the column at fault; None when the record itself is.
    :param value: the field's text.
    :param malformed: whether the record is no JSON at all.
    """

    def __init__(
        self, error: FieldError, column: Column | None = None, value: str = "", *, malformed: bool = False
    ) -> None:
        super().__init__(error.reason)
        self.error = error
        self.column = column
        self.value = value
        self.malformed = malformed


class RecordReader:
    """Reads records into rows.

    :param columns: those to load.
    :param paths: one for each column; None to match the members of an object by name.
    :param ignorecase: whether members match regardless of case.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        conversion: Conversion,
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
        """Return the members of a record that is an object; of members with one name the last, as JSON readers do.

        :raises RecordError: if it is none, or is malformed.
        """
        try:
            return _decode_object(record)
        except UnicodeDecodeError as error:
            reason = f"String contains invalid or unsupported UTF-8 codepoints in a name ({error.reason})"
            raise RecordError(FieldError(BAD_UTF8, reason)) from None
        except msgspec.ValidationError:
            # "If your data files use arrays, you must specify a JSONPaths file."
            reason = "Invalid value: an array at the root needs a JSONPaths file"
            raise RecordError(FieldError(BAD_LINE, reason)) from None
        except (msgspec.DecodeError, RecursionError) as error:
            raise _malformed(error) from None

    def read(self, record: bytes) -> list[Value]:
        """Return the row of a record: one value for each column.

        :raises RecordError: if there is none.
        """
        tokens = self._tokens(record)
        row: list[Value] = []
        for column, convert, token in zip(self.columns, self.converters, tokens, strict=True):
            try:
                row.append(convert(token))
            except FieldError as error:
                raise RecordError(error, column, _shown(token)) from None
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
                token = path.find(record)
            except FieldError as error:
                raise RecordError(error, column) from None
            except UnicodeDecodeError as error:
                reason = f"String contains invalid or unsupported UTF-8 codepoints in a name ({error.reason})"
                raise RecordError(FieldError(BAD_UTF8, reason), column) from None
            tokens.append(_NULL if token is None else token)
        return tokens


def _malformed(error: Exception) -> RecordError:
    """Wrap the decoder's error, whose message ends in "(byte 12)" if the position is known."""
    text = str(error).removeprefix("JSON is malformed: ")
    reason, _, position = text.partition(" (byte ")
    at = int(position.rstrip(")")) if position else 0
    return RecordError(FieldError(BAD_LINE, f"Invalid value: {reason}", at), malformed=True)


def _shown(token: bytes) -> str:
    """Return a field as the log shows it: what was there before it was converted."""
    try:
        return text_of(token) or ""
    except FieldError:
        return token.decode(errors="replace")
