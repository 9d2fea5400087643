"""The heading of a query: the comment at the beginning of its file, for those who read its result."""

from __future__ import annotations

from itertools import takewhile
from typing import NamedTuple


class Heading(NamedTuple):
    """The heading of a query.

    :param title: the first line of the comment; empty if there is none.
    :param note: the other lines; may be empty.
    """

    title: str
    note: str


def heading(sql: str) -> Heading:
    r"""Return the heading of a query.

    >>> heading("-- Plays by day\n-- A day is UTC.\nSELECT 1")
    Heading(title='Plays by day', note='A day is UTC.')
    """
    title, *notes = comment_lines(sql) or [""]
    return Heading(title, " ".join(notes))


def comment_lines(sql: str) -> list[str]:
    """Return the lines of the comment at the beginning of a file."""
    comment = takewhile(lambda line: line.startswith("--"), sql.lstrip().splitlines())
    return [line.removeprefix("--").strip() for line in comment]
