"""The descriptions of tables and columns: the comments of the DDL, one line each in the catalogue.

The comment above a column is its description, with its unit and sensitivity as last sentences, if it has them::

    -- First name, as the user entered it. Personal.
    first_name VARCHAR(256),
    -- Length of the song. Unit: seconds.
    duration DOUBLE PRECISION,

The first paragraph of the comment above CREATE TABLE describes the table. Comments behind a column are ignored.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from typing import TYPE_CHECKING

from sparkify.sql.heading import comment_lines
from sparkify.sql.scripts import body

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sparkify.warehouse.ddl import Statement

# The length limit of a description with its unit and sensitivity, in bytes: a line that a catalogue can show.
MAX_BYTES = 500
_UNIT = re.compile(r"(?:^|(?<=[.!?)])\s)Unit: (?P<unit>[^.]+)\.$")
# A tag in the comment of a view, such as "Grain: day".
_TAG = re.compile(r"[A-Z]\w+: ")
_PERSONAL = re.compile(r"(?:^|(?<=[.!?)])\s)Personal\.$")


@dataclass(frozen=True)
class Description:
    """The description of a table or column.

    :param text: one or more sentences.
    :param unit: of the values, such as ``seconds``; None if they have none.
    :param is_personal: whether the values are personal data; otherwise the sensitivity is none.
    """

    text: str
    unit: str | None = None
    is_personal: bool = False

    @property
    def comment(self) -> str:
        """The text of COMMENT ON: one line, which :func:`parse` reads."""
        unit = f" Unit: {self.unit}." if self.unit else ""
        return f"{self.text}{unit}{' Personal.' if self.is_personal else ''}"


def parse(comment: str | None) -> Description | None:
    """Return the description that a comment consists of; None if it has no text.

    :param comment: of the DDL or of the catalogue; line breaks count as blanks.

    >>> parse("Length of the song. Unit: seconds.")
    Description(text='Length of the song.', unit='seconds', is_personal=False)
    """
    text = " ".join((comment or "").split())
    rest = _PERSONAL.sub("", text)
    unit = _UNIT.search(rest)
    described = rest[: unit.start()] if unit else rest
    return Description(described, unit["unit"] if unit else None, rest != text) if described else None


@lru_cache(maxsize=256)  # each run compares them with the catalogue
def describe(statement: Statement) -> tuple[Description | None, Mapping[str, Description]]:
    """Return the descriptions of a table and of its columns, by name; the columns without one are missing.

    :param statement: a CREATE TABLE, or a CREATE VIEW, whose columns have none; other statements have no descriptions.
    """
    from sqlglot import exp

    if statement.kind == "VIEW":
        return parse(_of_view(statement.sql)), {}
    if statement.kind != "TABLE":
        return None, {}
    found = {
        column.name.lower(): parse(" ".join(column.this.comments or ()))
        for column in statement.tree.find_all(exp.ColumnDef)
    }
    table = parse(" ".join(_first_paragraph(statement.sql)))
    return table, {name: description for name, description in found.items() if description}


def _of_view(sql: str) -> str:
    """Return the comment above a view; its title and its tags, such as ``Unit: users``, become sentences."""
    title, *rest = comment_lines(sql) or [""]
    if not title:
        return ""
    return " ".join([_sentence(title), *(_sentence(line) if _TAG.match(line) else line for line in rest)])


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _first_paragraph(sql: str) -> Iterable[str]:
    """Return the lines of the comment directly above a statement, up to its first empty line."""
    lines = [line.strip() for line in sql[: sql.index(body(sql))].splitlines()]
    start = max((at + 1 for at, line in enumerate(lines) if not line.startswith("--")), default=0)
    return takewhile(bool, (line.removeprefix("--").strip() for line in lines[start:]))
