"""A rule: a function of one statement, whose docstring is its message and its source."""

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
    """A violation of a rule.

    :param rule: the rule's name.
    :param excerpt: the SQL, or the parser's message.
    :param line: its line, from 1.
    :param message: what is wrong, and what to write instead.
    """

    rule: str
    excerpt: str
    line: int = 1
    message: str = ""


@dataclass(frozen=True)
class ParsedStatement:
    """A statement, parsed by sqlfluff and by sqlglot.

    :param segment: sqlfluff's tree, with the position of each word.
    :param tree: sqlglot's syntax tree; None if sqlglot cannot parse the statement.
    :param tables: the columns of the known tables.
    """

    segment: BaseSegment
    tree: exp.Expr | None
    tables: Tables

    @property
    def line(self) -> int:
        """The first line of the statement, from 1."""
        return self.segment.pos_marker.source_position()[0] if self.segment.pos_marker else 1

    @property
    def words(self) -> list[str]:
        """The tokens of the statement in upper case, without comments and whitespace."""
        return [segment.raw_upper for segment in self.segment.raw_segments if segment.is_code]

    def find(self, *types: type[exp.Expr]) -> Iterator[exp.Expr]:
        """Yield the nodes of the given types."""
        if self.tree is not None:
            yield from self.tree.find_all(*types)


class Match(NamedTuple):
    """The part of a statement that violates a rule.

    :param part: a node of either tree.
    :param advice: the message, if it depends on the part; empty for the rule's own.
    """

    part: exp.Expr | BaseSegment
    advice: str = ""


@dataclass(frozen=True)
class Rule:
    """A rule.

    :param name: the name in reports.
    :param check: yields the violating parts of a statement. The first paragraph of its docstring is the message, with
        what to write instead; it is followed by a page of AWS's documentation.
    :param refused: whether Redshift itself rejects the violating SQL; otherwise PostgreSQL does, or the semantics
        differ.
    """

    name: str
    check: Callable[[ParsedStatement], Iterator[Match]]
    refused: bool

    @property
    def message(self) -> str:
        return " ".join((self.check.__doc__ or "").partition("\n\n")[0].split()).rstrip(".")

    def violations(self, statement: ParsedStatement) -> Iterator[Violation]:
        """Yield the violations in a statement."""
        for part, advice in self.check(statement):
            yield Violation(self.name, text(part), line(part, statement), advice or self.message)


RULES: dict[str, Rule] = {}


def rule(
    name: str, *, refused: bool = False
) -> Callable[[Callable[[ParsedStatement], Iterator[Match]]], Callable[[ParsedStatement], Iterator[Match]]]:
    """Register a function as a rule; see :class:`Rule`."""

    def register(check: Callable[[ParsedStatement], Iterator[Match]]) -> Callable[[ParsedStatement], Iterator[Match]]:
        assert name not in RULES, name
        RULES[name] = Rule(name, check, refused)
        return check

    return register


def text(part: exp.Expr | BaseSegment) -> str:
    """Return a part of a statement on one line."""
    sql = part.sql("redshift", comments=False) if isinstance(part, exp.Expr) else part.raw
    return re.sub(r"\s+", " ", sql)


def line(part: exp.Expr | BaseSegment, statement: ParsedStatement) -> int:
    """Return the first line of a part of a statement, from 1."""
    if not isinstance(part, exp.Expr):
        return part.pos_marker.source_position()[0] if part.pos_marker else statement.line
    # sqlglot records the lines of names and literals only.
    lines = [node.meta["line"] for node in part.walk() if "line" in node.meta]
    return statement.line + min(lines) - 1 if lines else statement.line
