"""Read the valid and the invalid records of a file, in order.

The fast reader reads blocks of whole lines, or line by line if it does not support a block. If it does not support a
line, the :class:`~.scanner.RecordScanner` and the exact reader continue, until a record ends with its line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparkify.warehouse.copy_result import RejectedRow
from sparkify.warehouse.postgres.copy.errors import RecordError
from sparkify.warehouse.postgres.copy.fast import FastReader
from sparkify.warehouse.postgres.copy.scanner import RawRecord, RecordScanner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sparkify.warehouse.postgres.copy.columns import Value
    from sparkify.warehouse.postgres.copy.records import RecordReader

_BOM = b"\xef\xbb\xbf"
_RAW_LENGTH = 4096  # bytes of a rejected record that are reported
_BLOCK = 64 * 1024  # bytes; larger blocks are not faster
_LONG_LINE = 1024 * 1024  # bytes; a line this long is read in pieces, so a file need not fit in memory
_FALLBACK = (ValueError, RecursionError)


class FileReader:
    """Converts files to rows.

    :param records: converts a record.
    :param emit: called with rows, several at a time.
    :param reject: called with each rejected row; may raise an exception to stop the load.
    :ivar rows: number of emitted rows.
    """

    def __init__(
        self,
        records: RecordReader,
        emit: Callable[[Iterable[Sequence[Value]]], None],
        reject: Callable[[RejectedRow], None],
    ) -> None:
        self.rows = 0
        self._records = records
        self._fast = FastReader(records)
        self._emit = emit
        self._reject = reject

    def read(self, filename: str, pieces: Iterable[bytes]) -> None:
        """Read one file.

        :param filename: its URL.
        :param pieces: its content, in pieces of any size.
        """
        scanner = RecordScanner(filename)
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
                if not (scanner.idle and self._read_fast(block)):
                    for number, line in enumerate(block[:-1].split(b"\n"), line_number):
                        if not (scanner.idle and self._read_fast(line)):
                            self._scan(scanner, number, line + b"\n")
                line_number += len(block) - len(block.replace(b"\n", b""))  # a quarter of the time of count()
            rest = data[end:]
            if len(rest) >= _LONG_LINE:
                self._scan(scanner, line_number, rest)
                rest = b""
        if not (scanner.idle and self._read_fast(rest)):  # most files lack the last line break
            self._scan(scanner, line_number, rest, final=True)

    def _read_fast(self, data: bytes) -> bool:
        """Read whole lines with the fast reader; return False if it cannot."""
        if self._fast.read is None:
            return False
        try:
            rows = self._fast.read(data)
        except _FALLBACK:
            return False
        self._emit(rows)
        self.rows += len(rows)
        return True

    def _scan(self, scanner: RecordScanner, line_number: int, data: bytes, *, final: bool = False) -> None:
        """Read ``data``, which begins in line ``line_number``, with the exact reader."""
        if scanner.idle:
            scanner.line = line_number
        for record in scanner.feed(data, final=final):
            if record.error:
                self._reject(_rejected(scanner.filename, record, record.error))
                continue
            if self._read_fast(record.raw):
                continue
            try:
                row = self._records.read(record.raw)
            except RecordError as error:
                if error.malformed:
                    scanner.skip_line()
                self._reject(_rejected(scanner.filename, record, error))
            else:
                self._fast.learn(record.raw, row)
                self._emit([row])
                self.rows += 1


def _rejected(file_name: str, record: RawRecord, error: RecordError) -> RejectedRow:
    column = error.column
    return RejectedRow(
        file_name=file_name,
        line_number=record.line,
        column_name=column.name if column else "",
        error_code=error.code,
        reason=error.reason,
        raw_line=record.raw[:_RAW_LENGTH].decode(errors="replace"),
        raw_value=error.value,
        position=error.position,
        column_type=column.type if column else "",
        column_length=column.length if column else "",
    )
