"""What can go wrong in a COPY: the exceptions, and the rejected row.

Codes are those of AWS's "Load error reference"
(https://docs.aws.amazon.com/redshift/latest/dg/r_Load_Error_Reference.html).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

OUT_OF_RANGE = 1204
BAD_DATE = 1205
BAD_TIMESTAMP = 1206
BAD_DIGIT = 1207
BAD_FLOAT = 1208
BAD_DECIMAL = 1209
BAD_BOOLEAN = 1210
NOT_NULL = 1213
BAD_LINE = 1216
NUL_BYTE = 1218
BAD_UTF8 = 1220
INTEGER_OVERFLOW = 1222
# Not in the reference, and not ignored by MAXERROR: the COPY fails with it.
BAD_COMPRESSION = 9001

_REMEDIES = {
    OUT_OF_RANGE: "widen the column, or add TRUNCATECOLUMNS when it is text",
    BAD_DATE: "write the date as YYYY-MM-DD",
    BAD_TIMESTAMP: "set the TIMEFORMAT the file uses, or correct the value",
    BAD_DIGIT: "correct the value, or give the column a type that holds it",
    BAD_FLOAT: "correct the value, or give the column a type that holds it",
    BAD_DECIMAL: "correct the value, or give the column a type that holds it",
    BAD_BOOLEAN: "write true or false",
    NOT_NULL: "supply the field, or drop the column's NOT NULL",
    BAD_LINE: "correct the JSON, or allow some rejected rows with MAXERROR",
    NUL_BYTE: "remove the NUL character from the value",
    BAD_UTF8: "write the file as UTF-8, or add ACCEPTINVCHARS for a VARCHAR column",
    INTEGER_OVERFLOW: "give the column a wider integer type",
    BAD_COMPRESSION: "write the object again, whole, or leave out the option of its compression",
}


class CopySyntaxError(ValueError):
    """The COPY statement is not one the local engine runs; the message never holds a quoted string of it."""


class FieldError(ValueError):
    """A value does not fit its column.

    :param code: the code of the load error reference.
    :param reason: the error, in Redshift's wording if known.
    :param position: the offset of the error within the value, from 0.
    """

    def __init__(self, code: int, reason: str, position: int = 0) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.position = position


@dataclass(frozen=True)
class Reject:
    """One row, or piece of a file, that could not be loaded.

    :param filename: the ``s3://bucket/key`` it came from.
    :param line: the last line of the JSON object, from 1, as STL_LOAD_ERRORS counts.
    :param code: the code of the load error reference.
    :param position: the offset of the error, from 0: within the value, or within the raw text if no column is named.
    :param raw: the text of the object.
    :param column: the column's name; empty when the object itself could not be read.
    :param type: the column's type as STL_LOAD_ERRORS names it, such as ``varchar``.
    :param length: the column's length, such as ``256`` or ``18, 0``; empty if the type has none.
    :param value: the field's value before it was converted.
    """

    filename: str
    line: int
    code: int
    reason: str
    position: int = 0
    raw: bytes = b""
    column: str = ""
    type: str = ""
    length: str = ""
    value: str = ""

    def __str__(self) -> str:
        """Return where, what, why and what to do, in one line."""
        declared = f"{self.type}({self.length})" if self.length else self.type
        column = f", column {self.column} ({declared})" if self.column else f", position {self.position}"
        return (
            f"{self.filename} line {self.line}{column}: {self.reason}; error {self.code}. "
            f"Remedy: {_REMEDIES[self.code]}."
        )


class CopyError(RuntimeError):
    """A COPY failed and nothing of it was loaded.

    :param rejects: the first rejected rows.
    :param rejected: how many rows were rejected before the COPY gave up.
    :param query_id: the id under which ``stl_load_errors`` holds them; None when the COPY had not begun.
    """

    def __init__(
        self, message: str, *, rejects: Sequence[Reject] = (), rejected: int = 0, query_id: int | None = None
    ) -> None:
        super().__init__(message)
        self.rejects = tuple(rejects)
        self.rejected = rejected
        self.query_id = query_id
