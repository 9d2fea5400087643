"""The errors of COPY, with the codes of AWS's "Load error reference".

https://docs.aws.amazon.com/redshift/latest/dg/r_Load_Error_Reference.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sparkify.warehouse.copy_result import RejectedRow
    from sparkify.warehouse.postgres.copy.target import Column

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
# Not in the reference. MAXERROR does not cover it: the COPY fails.
BAD_COMPRESSION = 9001

_REMEDIES = {
    OUT_OF_RANGE: "widen the column, or add TRUNCATECOLUMNS if it is text",
    BAD_DATE: "write the date as YYYY-MM-DD",
    BAD_TIMESTAMP: "set the TIMEFORMAT of the file, or correct the value",
    BAD_DIGIT: "correct the value, or change the type of the column",
    BAD_FLOAT: "correct the value, or change the type of the column",
    BAD_DECIMAL: "correct the value, or change the type of the column",
    BAD_BOOLEAN: "write true or false",
    NOT_NULL: "add the field, or drop the column's NOT NULL",
    BAD_LINE: "correct the JSON, or accept some rejected rows with MAXERROR",
    NUL_BYTE: "remove the NUL character from the value",
    BAD_UTF8: "write the file as UTF-8, or add ACCEPTINVCHARS for a VARCHAR column",
    INTEGER_OVERFLOW: "change the column to a wider integer type",
}


class RecordError(ValueError):
    """A record, or one of its values, cannot be loaded.

    :param code: the code of the load error reference.
    :param reason: the error, in Redshift's wording if known.
    :param position: the offset of the error, from 0: in the value, or in the record if no column is named.
    :param malformed: whether the record is not valid JSON.
    :ivar column: the column of the value; None if the record as a whole is rejected.
    :ivar value: the value's text.
    """

    def __init__(self, code: int, reason: str, position: int = 0, *, malformed: bool = False) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.position = position
        self.malformed = malformed
        self.column: Column | None = None
        self.value = ""


def explain(row: RejectedRow) -> str:
    """Return the place, the reason and the remedy of a rejected row, in one line."""
    declared = f"{row.column_type}({row.column_length})" if row.column_length else row.column_type
    column = f", column {row.column_name} ({declared})" if row.column_name else f", position {row.position}"
    return (
        f"{row.file_name} line {row.line_number}{column}: {row.reason}; error {row.error_code}. "
        f"Remedy: {_REMEDIES[row.error_code]}."
    )
