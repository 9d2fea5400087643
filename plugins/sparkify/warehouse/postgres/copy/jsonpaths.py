"""JSONPaths files, which map the elements of a record to columns.

"Data format parameters", JSONPaths file and JSONPath expressions
(https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from sparkify.warehouse.copy_result import CopyFailedError
from sparkify.warehouse.postgres.copy.errors import BAD_LINE, RecordError

_MEMBER_IN_BRACKETS = re.compile(r"\['([^'\[\]]+)'\]|\[([0-9]{1,9})\]")
_MEMBER_AFTER_DOT = re.compile(r"\.([^'.\[\]*?@()\s]+)|\[([0-9]{1,9})\]")
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode


@dataclass(frozen=True)
class Path:
    """One JSONPath expression.

    :param steps: names of members and indices of array elements, from the root down.
    """

    steps: tuple[str | int, ...]

    def find(self, record: bytes) -> bytes | None:
        """Return the JSON token at the path; None if the record has no such member.

        :param record: the record's JSON.
        :raises RecordError: if a step of the path is not an object, or an index is out of range.
        """
        token = record
        for step in self.steps:
            if isinstance(step, str):
                if token[:1] != b"{":
                    raise RecordError(BAD_LINE, "Invalid JSONPath format: Member is not an object.")
                member = _decode_object(token).get(step)
                if member is None:
                    return None
                token = bytes(member)
            else:
                elements = _decode_array(token) if token[:1] == b"[" else []
                if step >= len(elements):
                    raise RecordError(BAD_LINE, "Invalid JSONPath format: Not an array or index out of range.")
                token = bytes(elements[step])
        return token


def read_jsonpaths(content: bytes, url: str, columns: int) -> tuple[Path, ...] | None:
    """Return the paths of a JSONPaths file.

    :param url: the file's URL, for errors.
    :param columns: number of columns that the COPY loads, which must be the number of paths.
    :return: the paths in the order of the columns; None if the object has no key ``jsonpaths``: COPY then ignores the
        file and maps by name, like ``auto``.
    :raises CopyFailedError: if the file is invalid; MAXERROR does not apply. The message has the position in the file.
    """
    try:
        document = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CopyFailedError(f"{url}: the JSONPaths file is not one well-formed JSON object: {error}") from None
    if not isinstance(document, dict):
        raise CopyFailedError(f'{url}: the JSONPaths file must contain one JSON object, {{"jsonpaths": [...]}}')
    if "jsonpaths" not in document:
        return None
    expressions = document["jsonpaths"]
    if not isinstance(expressions, list):
        raise CopyFailedError(f'{url}: "jsonpaths" must be an array of JSONPath expressions')
    paths = []
    notations: set[str] = set()
    for position, expression in enumerate(expressions):
        where = f"{url}: jsonpaths[{position}]"
        if not isinstance(expression, str) or not expression:
            raise CopyFailedError(f"{where} must be a non-empty string")
        paths.append(_parse(expression, where, notations))
    if len(paths) != columns:
        raise CopyFailedError(
            f"{url}: the number of JSONPath expressions ({len(paths)}) must be the number of columns ({columns}) "
            "of the table, or of the column list"
        )
    return tuple(paths)


def _parse(expression: str, where: str, notations: set[str]) -> Path:
    """Parse an expression; ``notations`` collects the notations of the file, which cannot be mixed."""
    steps: list[str | int] = []
    position = 1
    if expression[0] != "$":
        raise CopyFailedError(f"{where}, {expression!r}: must begin with $, at character 1")
    while position < len(expression):
        match = _MEMBER_IN_BRACKETS.match(expression, position) or _MEMBER_AFTER_DOT.match(expression, position)
        if match is None:
            raise CopyFailedError(
                f"{where}, {expression!r}: not a JSONPath that COPY reads, at character {position + 1}; "
                "write $['name']['other'][0] or $.name.other[0], without wildcards and filters"
            )
        if match[1] is not None:
            steps.append(match[1])
            notations.add(expression[position])
            if len(notations) > 1:
                raise CopyFailedError(f"{where}, {expression!r}: bracket and dot notation cannot be mixed in one file")
        else:
            steps.append(int(match[2]))
        position = match.end()
    if not steps:
        raise CopyFailedError(f"{where}, {expression!r}: must name an element below the root $")
    return Path(tuple(steps))
