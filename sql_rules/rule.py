"""What a rule is: a function over one statement, whose docstring is the message and the source."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlfluff.core.parser import BaseSegment

    from sql_rules.columns import Tables


class Violation(NamedTuple):
    """What a rule found.

    :param rule: its name.
    :param found: the SQL, or the parser's message.
    :param line: the line on which it stands, from 1.
    :param message: what is wrong, and what to write instead.
    """

    rule: str
    found: str
    line: int = 1
    message: str = ""


@dataclass(frozen=True)
class Statement:
    """One statement as both parsers read it.

    :param segment: sqlfluff's tree, with the position of each word.
    :param tree: sqlglot's tree, which knows what the words mean; None where sqlglot cannot read the statement.
    :param tables: the columns of the tables that are known.
    """

    segment: BaseSegment
    tree: exp.Expr | None
    tables: Tables

    @property
    def line(self) -> int:
        """The line on which it begins, from 1."""
        return self.segment.pos_marker.source_position()[0] if self.segment.pos_marker else 1

    @property
    def words(self) -> list[str]:
        """Its words, without comments and blanks, in capitals."""
        return [segment.raw_upper for segment in self.segment.raw_segments if segment.is_code]

    def find(self, *kinds: type[exp.Expr]) -> Iterator[exp.Expr]:
        """Yield the nodes of some kinds."""
        if self.tree is not None:
            yield from self.tree.find_all(*kinds)


class Found(NamedTuple):
    """A part of a statement that breaks a rule.

    :param part: the part, in either tree.
    :param advice: the message, if it depends on the part.
    """

    part: exp.Expr | BaseSegment
    advice: str = ""


@dataclass(frozen=True)
class Rule:
    """A rule of SQL.

    :param name: what reports call it.
    :param check: yields what breaks it. The first paragraph of its docstring is the message, and says what to write
        instead; a page of AWS's documentation follows.
    :param refused: whether Redshift refuses what it finds; else PostgreSQL does, or the two understand it differently.
    """

    name: str
    check: Callable[[Statement], Iterator[Found]]
    refused: bool

    @property
    def message(self) -> str:
        return " ".join((self.check.__doc__ or "").partition("\n\n")[0].split()).rstrip(".")

    def violations(self, statement: Statement) -> Iterator[Violation]:
        """Yield what in a statement breaks the rule."""
        for part, advice in self.check(statement):
            yield Violation(self.name, text(part), line(part, statement), advice or self.message)


RULES: dict[str, Rule] = {}


def rule(
    name: str, *, refused: bool = False
) -> Callable[[Callable[[Statement], Iterator[Found]]], Callable[[Statement], Iterator[Found]]]:
    """Register a function as a rule; see :class:`Rule`."""

    def register(check: Callable[[Statement], Iterator[Found]]) -> Callable[[Statement], Iterator[Found]]:
        assert name not in RULES, name
        RULES[name] = Rule(name, check, refused)
        return check

    return register


def text(part: exp.Expr | BaseSegment) -> str:
    """Return a part of a statement on one line."""
    sql = part.sql("redshift", comments=False) if isinstance(part, exp.Expr) else part.raw
    return re.sub(r"\s+", " ", sql)


def line(part: exp.Expr | BaseSegment, statement: Statement) -> int:
    """Return the line on which a part of a statement begins, from 1."""
    if not isinstance(part, exp.Expr):
        return part.pos_marker.source_position()[0] if part.pos_marker else statement.line
    # sqlglot notes the line of names and literals.
    lines = [node.meta["line"] for node in part.walk() if "line" in node.meta]
    return statement.line + min(lines) - 1 if lines else statement.line
