"""Split a stream of bytes into records: the JSON objects and arrays at its root.

"Data format parameters", JSON data file (https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html):
a file is a set of root-level objects or arrays, separated by white space only, in any layout. Anything else is an
error, and the load continues after it.

It reads what a line-by-line reader cannot: records over several lines, or several in one line. It only follows strings
and brackets; the decoder validates the JSON.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from sparkify.warehouse.copy_result import CopyFailedError
from sparkify.warehouse.postgres.copy.errors import BAD_LINE, RecordError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 4 * 1024 * 1024  # "The maximum size of a single JSON object or array ... is 4 MB."
_SPACE = re.compile(rb"[ \t\r\n]*")
_JUNK = re.compile(rb"[^{\[\n]*")
_TOKEN = re.compile(rb'"(?:[^"\\\n]|\\[^\n])*+("?)|[{}\[\]]')
_OPENING = {b"{": b"}", b"[": b"]"}


class RawRecord(NamedTuple):
    """A record of a file, before its JSON is decoded; or bytes that are not a record.

    :param raw: its text.
    :param line: the number of its last line, from 1; with an error, of its first line.
    :param error: why it cannot be a record; None if it can.
    """

    raw: bytes
    line: int
    error: RecordError | None = None


class RecordScanner:
    """Splits a file into records; its bytes may come in pieces of any size.

    :param filename: the file's URL.
    :ivar line: the number of the current line, from 1; set it before :meth:`feed` if lines were read without it.
    """

    def __init__(self, filename: str) -> None:
        self.line = 1
        self.filename = filename
        self._data = b""
        self._begin = 0  # of the current record, or of the bytes not yet scanned
        self._scanned = 0  # end of the scanned tokens of the record
        self._closers: list[bytes] = []
        self._gap = -1  # end of the last member, which a comma must follow; -1 if there is none
        self._indent = 0  # blanks before the record in its line
        self._skip: re.Pattern[bytes] | None = None  # skip lines until one matches

    @property
    def idle(self) -> bool:
        """Whether the next byte may begin a record."""
        return self._begin == len(self._data) and self._skip is None

    def feed(self, data: bytes, *, final: bool = False) -> Iterator[RawRecord]:
        """Yield the records that ``data`` completes.

        :param final: whether this is the end of the file.
        :raises CopyFailedError: if a record exceeds Redshift's limit of 4 MB.
        """
        self._data = self._data[self._begin :] + data
        self._scanned -= self._begin
        self._gap -= self._begin
        self._begin = 0
        while (record := self._next(final)) is not None:
            yield record
        if self._closers:
            self._check_size(len(self._data))

    def _check_size(self, end: int) -> None:
        if end - self._begin > MAX_BYTES:
            raise CopyFailedError(
                f"{self.filename} line {self.line}: the JSON object that begins here is larger than 4 MB, the limit "
                "of COPY. Remedy: split the object."
            )

    def skip_line(self) -> None:
        """Skip the rest of the current line, because its JSON is malformed."""
        if not self._end_of_line_reached():
            self._skip = _LINE_START

    def _end_of_line_reached(self) -> bool:
        end = self._data.find(b"\n", self._begin)
        if end < 0:
            self._advance(len(self._data))
            return False
        self._advance(end + 1)
        return True

    def _advance(self, to: int) -> None:
        self.line += self._data.count(b"\n", self._begin, to)
        self._begin = to
        self._indent = 0

    def _next(self, final: bool) -> RawRecord | None:
        while self._skip is not None:
            if not self._skip_lines(final):
                return None
        if not self._closers:
            end = _SPACE.match(self._data, self._begin).end()  # type: ignore[union-attr]  # matches anything
            line_start = self._data.rfind(b"\n", self._begin, end) + 1
            indent = end - line_start if line_start else self._indent + end - self._begin
            self._advance(end)
            self._indent = indent
            opening = self._data[end : end + 1]
            if not opening:
                return None
            if opening not in _OPENING:
                return self._junk()
            self._closers.append(_OPENING[opening])
            self._scanned = end + 1
            self._gap = -1
        return self._record(final)

    def _junk(self) -> RawRecord:
        """Return the bytes up to the next bracket or the end of the line, as an error."""
        start, line = self._begin, self.line
        end = _JUNK.match(self._data, start).end()  # type: ignore[union-attr]  # matches anything
        self._advance(end)
        if end == len(self._data):
            self._skip = _RECORD_OR_LINE  # the rest of these bytes is not a second error
        raw = self._data[start:end].rstrip()
        reason = "Invalid value: characters other than white space outside a JSON object"
        return RawRecord(raw, line, RecordError(BAD_LINE, reason))

    def _record(self, final: bool) -> RawRecord | None:
        data = self._data
        for token in _TOKEN.finditer(data, self._scanned):
            text = token[0]
            if text[:1] == b'"' and not token[1]:  # the string is not closed on its line
                if not final and data[token.end() :] in (b"", b"\\"):
                    self._scanned = token.start()
                    return None
                return self._malformed("Invalid value: a string is not closed", token.end())
            closing = text in (b"}", b"]")
            if self._gap >= 0 and not closing and b"," not in data[self._gap : token.start()]:
                return self._malformed("Invalid value: a comma is missing", token.start())
            self._gap = -1
            self._scanned = token.end()
            if text in _OPENING:
                self._closers.append(_OPENING[text])
            elif closing:
                if text != self._closers.pop():
                    return self._malformed("Invalid value: brackets do not match", token.start())
                if not self._closers:
                    self._check_size(token.end())
                    raw = data[self._begin : token.end()]
                    self._advance(token.end())
                    return RawRecord(raw, self.line)
                self._gap = token.end()
        self._scanned = len(data)
        return self._malformed("Invalid value: the object is not closed", len(data)) if final else None

    def _malformed(self, reason: str, at: int) -> RawRecord:
        """Return the record as an error, and continue at the next line that may begin a record.

        If the error is in the record's first line, that is the next line: in line-delimited data each invalid line is
        one error. Otherwise it is the next line with an opening bracket that is not indented deeper than the record's
        own, so that the valid line after a truncated record is loaded.
        """
        start, line = self._begin, self.line
        self._closers.clear()
        end_of_line = self._data.find(b"\n", start)
        if end_of_line < 0 or at <= end_of_line:
            self.skip_line()
        else:
            self._skip = re.compile(rb"[ \t]{0,%d}[{\[]" % self._indent)
            self._advance(end_of_line + 1)
        raw = self._data[start : max(self._begin, at)].rstrip()
        return RawRecord(raw, line, RecordError(BAD_LINE, reason, at - start))

    def _skip_lines(self, final: bool) -> bool:
        """Advance to the match of ``_skip``; return whether it was found."""
        assert self._skip is not None
        if self._skip in (_LINE_START, _RECORD_OR_LINE):
            found = self._skip.search(self._data, self._begin)
            self._advance(found.end() if found else len(self._data))
            if found:
                self._skip = None
            return found is not None
        while self._begin < len(self._data):
            if self._skip.match(self._data, self._begin):
                self._skip = None
                return True
            end = self._data.find(b"\n", self._begin)
            if end < 0 and not final:
                return False
            self._advance(end + 1 if end >= 0 else len(self._data))
        return False


_LINE_START = re.compile(rb"\n")
_RECORD_OR_LINE = re.compile(rb"(?=[{\[])|\n")
