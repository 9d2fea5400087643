"""Read one file's records, good and bad, in their order.

Line-delimited JSON, the usual layout, goes line by line through the fast reader; whatever it cannot take goes through
the :class:`~sparkify.copy.documents.Scanner`, until that has caught up with the end of a line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparkify.copy.documents import Document, Scanner
from sparkify.copy.errors import BAD_LINE, FieldError, Reject
from sparkify.copy.fast import FastReader
from sparkify.copy.records import RecordError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sparkify.copy.columns import Value
    from sparkify.copy.records import RecordReader

_BOM = b"\xef\xbb\xbf"
_LONG_LINE = 1024 * 1024  # bytes; a line this long is read in pieces, so that no file needs to fit in memory
_UNDECIDED = (ValueError, RecursionError)


class FileReader:
    """Reads files into rows.

    :param records: converts a record.
    :param emit: takes each row.
    :param reject: takes each bad record; may raise to end the load.
    :ivar rows: how many rows were emitted.
    """

    def __init__(
        self,
        records: RecordReader,
        emit: Callable[[Sequence[Value]], None],
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
        emit = self._emit
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
            lines = data.split(b"\n")
            rest = lines.pop()
            fast = self._fast.read if scanner.idle else None
            taken = 0
            for number, line in enumerate(lines, line_number):  # the hot loop: a microsecond and a half a row
                if fast is not None:
                    try:
                        row = fast(line)
                    except _UNDECIDED:
                        pass
                    else:
                        emit(row)
                        taken += 1
                        continue
                self._scan(scanner, number, line + b"\n")
                fast = self._fast.read if scanner.idle else None
            self.rows += taken
            line_number += len(lines)
            if len(rest) >= _LONG_LINE:
                self._scan(scanner, line_number, rest)
                rest = b""
        self._scan(scanner, line_number, rest if begun else rest.removeprefix(_BOM), final=True)

    def _scan(self, scanner: Scanner, line_number: int, data: bytes, *, final: bool = False) -> None:
        """Read ``data``, which begins in line ``line_number``, exactly."""
        if scanner.idle:
            scanner.line = line_number
        for document in scanner.feed(data, final=final):
            if document.error:
                error = FieldError(BAD_LINE, document.error, document.position)
                self._reject(_reject(scanner.filename, document, RecordError(error)))
                continue
            try:
                row = self._row(document.raw)
            except RecordError as error:
                if error.malformed:
                    scanner.skip_line()
                self._reject(_reject(scanner.filename, document, error))
            else:
                self._emit(row)
                self.rows += 1

    def _row(self, record: bytes) -> Sequence[Value]:
        if self._fast.read is not None:
            try:
                return self._fast.read(record)
            except _UNDECIDED:
                pass
        row = self._records.read(record)
        self._fast.learn(record)
        return row


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
