"""The result of a COPY, on either engine: loaded rows and rejected rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sparkify.warehouse.errors import WarehouseError
from sparkify.warehouse.secrets import KEEP

if TYPE_CHECKING:
    from collections.abc import Sequence

# Rejected rows that a COPY reports, plus one of each further file; their number is always exact.
MAX_REPORTED_REJECTS = 1_000


@dataclass(frozen=True)
class RejectedRow:
    """A row that COPY could not load, or a file that it could not decompress.

    :param file_name: its file, ``s3://bucket/key``.
    :param line_number: from 1; for a JSON object, its last line; 0 if unknown.
    :param column_name: the column of the invalid value; empty if the row itself cannot be parsed.
    :param error_code: see https://docs.aws.amazon.com/redshift/latest/dg/r_Load_Error_Reference.html
    :param reason: the database's error message.
    :param raw_line: the row as it is in the file; None if the database does not report it.
    :param raw_value: the value; None if the database does not report it.
    :param position: offset of the error, from 0: in the value, or in the row if no column is named; 0 if unknown.
    :param column_type: the column's type as in STL_LOAD_ERRORS, such as ``varchar``; empty if unknown.
    :param column_length: the column's length, such as ``256`` or ``18, 0``; empty if unknown or if the type has none.
    """

    file_name: str
    line_number: int
    column_name: str
    error_code: int
    reason: str
    raw_line: str | None = field(default=None, metadata={KEEP: True})
    raw_value: str | None = field(default=None, metadata={KEEP: True})
    position: int = 0
    column_type: str = ""
    column_length: str = ""


@dataclass(frozen=True)
class CopyResult:
    """The result of a COPY.

    :param rows: number of loaded rows.
    :param rejected: number of rejected rows, at most MAXERROR - 1.
    :param rejects: the first of them, :data:`MAX_REPORTED_REJECTS` and one of each further file.
    :param query_id: the id of the COPY in the database's table of load errors; None if it is not there.
    """

    rows: int
    rejected: int
    rejects: Sequence[RejectedRow] = ()
    query_id: int | None = None


class CopyFailedError(WarehouseError):
    """A COPY failed, and loaded no rows.

    :param rejects: the rows that it had rejected, :data:`MAX_REPORTED_REJECTS` and one of each further file, including
        an object that it could not decompress.
    :param terminal: whether a retry would fail again: its input is invalid, rather than S3 or the network failed.
    """

    def __init__(self, message: str, rejects: Sequence[RejectedRow] = (), *, terminal: bool = True) -> None:
        super().__init__(message, terminal=terminal)
        self.rejects = rejects
