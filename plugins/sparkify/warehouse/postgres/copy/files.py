"""Read one file's records, good and bad, in their order.

Blocks of whole lines go through the fast reader, and the lines of a block that it cannot take one by one; whatever it
cannot take then goes through the :class:`~.documents.Scanner`, until that has caught up with the end of a
line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparkify.warehouse.postgres.copy.documents import Document, Scanner
from sparkify.warehouse.postgres.copy.errors import BAD_LINE, FieldError, Reject
from sparkify.warehouse.postgres.copy.fast import FastReader
from sparkify.warehouse.postgres.copy.records import RecordError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sparkify.warehouse.postgres.copy.columns import Value
    from sparkify.warehouse.postgres.copy.records import RecordReader

_BOM = b"\xef\xbb\xbf"
_BLOCK = 64 * 1024  # bytes; larger ones are no faster
_LONG_LINE = 1024 * 1024  # bytes; a line this long is read in pieces, so that no file needs to fit in memory
_UNDECIDED = (ValueError, RecursionError)


class FileReader:
    """Reads files into rows.

    :param records: converts a record.
    :param emit: takes rows, some at a time.
    :param reject: takes each bad record; may raise to end the load.
    :ivar rows: how many rows were emitted.
    """

    def __init__(
        self,
        records: RecordReader,
        emit: Callable[[Iterable[Sequence[Value]]], None],
        reject: Callable[[Reject], None],
    ) -> None:
        self.rows = 0
        self._records = records
        self._fast = FastReader(records)
        self._emit = emit
        self._reject = reject

    def read(self, filename: str, pieces: Iterable[bytes]) -> None:
        """Read one file.

        :param filename: its URL, for the rejects.
        :param pieces: its content, cut anywhere.
        """
        scanner = Scanner(filename)
        line_number = 1
        rest = b""
        begun = False
        for piece in pieces:
            data = rest + piece
            if not begun:
                if len(data) < len(_BOM):
                    rest = data
                    continue
                begun = True
                data = data.removeprefix(_BOM)
            at, end = 0, data.rfind(b"\n") + 1
            while at < end:
                begin, at = at, data.rfind(b"\n", at, at + _BLOCK) + 1 or data.find(b"\n", at) + 1
                block = data[begin:at]
                if not (scanner.idle and self._take(block)):
                    # Not all of it can be taken, so line by line.
                    for number, line in enumerate(block[:-1].split(b"\n"), line_number):
                        if not (scanner.idle and self._take(line)):
                            self._scan(scanner, number, line + b"\n")
                line_number += len(block) - len(block.replace(b"\n", b""))  # a quarter of the time of count()
            rest = data[end:]
            if len(rest) >= _LONG_LINE:
                self._scan(scanner, line_number, rest)
                rest = b""
        if not (scanner.idle and self._take(rest)):  # few files end their last line
            self._scan(scanner, line_number, rest, final=True)

    def _take(self, data: bytes) -> bool:
        """Read whole lines the fast way; return whether that could be done."""
        if self._fast.read is None:
            return False
        try:
            rows = self._fast.read(data)
        except _UNDECIDED:
            return False
        self._emit(rows)
        self.rows += len(rows)
        return True

    def _scan(self, scanner: Scanner, line_number: int, data: bytes, *, final: bool = False) -> None:
        """Read ``data``, which begins in line ``line_number``, exactly."""
        if scanner.idle:
            scanner.line = line_number
        for document in scanner.feed(data, final=final):
            if document.error:
                error = FieldError(BAD_LINE, document.error, document.position)
                self._reject(_reject(scanner.filename, document, RecordError(error)))
                continue
            if self._take(document.raw):
                continue
            try:
                row = self._records.read(document.raw)
            except RecordError as error:
                if error.malformed:
                    scanner.skip_line()
                self._reject(_reject(scanner.filename, document, error))
            else:
                self._fast.learn(document.raw, row)
                self._emit([row])
                self.rows += 1


def _reject(filename: str, document: Document, error: RecordError) -> Reject:
    column = error.column
    return Reject(
        filename=filename,
        line=document.line,
        code=error.error.code,
        reason=error.error.reason,
        position=error.error.position,
        raw=document.raw[:4096],
        column=column.name if column else "",
        type=column.type if column else "",
        length=column.length if column else "",
        value=error.value,
    )
