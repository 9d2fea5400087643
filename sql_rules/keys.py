"""Distribution, sort and foreign keys that conflict, or that only one engine supports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sql_rules.parsing import words
from sql_rules.rule import Match, ParsedStatement, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlfluff.core.parser import BaseSegment

_CONSTRAINTS = {"PRIMARY", "UNIQUE", "FOREIGN", "LIKE", "CONSTRAINT", "CHECK"}
# https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
_COMPOUND, _INTERLEAVED = 400, 8


@dataclass
class TableKeys:
    """The keys that a CREATE TABLE declares, as tokens with their positions.

    :param columns: the column names.
    :param styles: the distribution styles.
    :param dist_keys: the columns of distribution keys.
    :param sort_keys: the columns of each sort key.
    :param interleaved: whether a sort key is interleaved.
    :param inline: DISTKEY and SORTKEY attributes of a column.
    :param other: properties that the local engine does not translate.
    :param foreign: REFERENCES.
    """

    columns: list[str] = field(default_factory=list)
    styles: list[BaseSegment] = field(default_factory=list)
    dist_keys: list[BaseSegment] = field(default_factory=list)
    sort_keys: list[list[BaseSegment]] = field(default_factory=list)
    interleaved: bool = False
    inline: list[BaseSegment] = field(default_factory=list)
    other: list[BaseSegment] = field(default_factory=list)
    foreign: list[BaseSegment] = field(default_factory=list)


def _name(segment: BaseSegment) -> str:
    return segment.raw.strip('"').lower()


def table_keys(statement: ParsedStatement) -> TableKeys | None:
    """Return the keys that a statement declares; None if it declares no columns."""
    tokens = words(statement.segment)
    names = [token.raw_upper for token in tokens]
    if names[:1] != ["CREATE"] or "TABLE" not in names[:4] or "(" not in names:
        return None
    start = names.index("(")
    if "AS" in names[:start]:
        return None
    found, end = TableKeys(), _closing(names, start)
    for item in _items(tokens[start + 1 : end]):
        _read_column(item, found)
    _read_properties(tokens[end + 1 :], found)
    return found


def _closing(names: list[str], start: int) -> int:
    depth = 0
    for at in range(start, len(names)):
        depth += (names[at] == "(") - (names[at] == ")")
        if depth == 0:
            return at
    return len(names)


def _items(tokens: list[BaseSegment]) -> Iterator[list[BaseSegment]]:
    """Yield the items between commas."""
    item: list[BaseSegment] = []
    depth = 0
    for token in tokens:
        depth += (token.raw == "(") - (token.raw == ")")
        if token.raw == "," and depth == 0:
            yield item
            item = []
        else:
            item.append(token)
    yield item


def _read_column(item: list[BaseSegment], found: TableKeys) -> None:
    if not item:
        return
    found.foreign += [token for token in item[1:] if token.raw_upper == "REFERENCES"]
    if item[0].raw_upper in _CONSTRAINTS:
        return
    found.columns.append(_name(item[0]))
    for token in item[1:]:
        if token.raw_upper == "DISTKEY":
            found.dist_keys.append(item[0])
            found.inline.append(token)
        elif token.raw_upper == "SORTKEY":
            found.sort_keys.append([item[0]])
            found.inline.append(token)


def _read_properties(tokens: list[BaseSegment], found: TableKeys) -> None:
    names = [token.raw_upper for token in tokens]
    for at, (token, name) in enumerate(zip(tokens, names, strict=True)):
        listed = []
        if names[at + 1 : at + 2] == ["("]:
            listed = [item[0] for item in _items(tokens[at + 2 : _closing(names, at + 1)]) if item]
        if name == "DISTSTYLE":
            found.styles += tokens[at + 1 : at + 2]
        elif name == "DISTKEY":
            found.dist_keys += listed
        elif name == "SORTKEY" and listed:
            found.sort_keys.append(listed)
        elif name == "INTERLEAVED":
            found.interleaved = True
            found.other.append(token)
        elif name in ("SORTKEY", "BACKUP", "ENCODE"):
            found.other.append(token)


@rule("distribution", refused=True)
def distribution(statement: ParsedStatement) -> Iterator[Match]:
    """DISTSTYLE and DISTKEY conflict; write DISTSTYLE KEY and DISTKEY (column), or another style alone.

    https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
    """
    if (found := table_keys(statement)) is None:
        return
    styles = [segment.raw_upper for segment in found.styles]
    for again in [*found.styles[1:], *found.dist_keys[1:]]:
        yield Match(again, "Redshift allows one DISTSTYLE and one DISTKEY; leave this one out")
    for key in found.dist_keys[:1]:
        if styles and styles[0] != "KEY":
            yield Match(found.styles[0])
        if found.columns and _name(key) not in found.columns:
            yield Match(key, "DISTKEY is not a column of the table; write one of its columns")
    if styles[:1] == ["KEY"] and not found.dist_keys:
        yield Match(found.styles[0])


@rule("sort key", refused=True)
def sort_key(statement: ParsedStatement) -> Iterator[Match]:
    """The sort key is not a column of the table; write columns of the table.

    https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
    """
    if (found := table_keys(statement)) is None:
        return
    for again in found.sort_keys[1:]:
        yield Match(again[0], "Redshift allows one sort key; write all its columns in one SORTKEY (...)")
    for columns in found.sort_keys[:1]:
        most = _INTERLEAVED if found.interleaved else _COMPOUND
        if len(columns) > most:
            yield Match(columns[most], f"the sort key exceeds {most} columns; leave out those that filter least")
        yield from (Match(column) for column in columns if found.columns and _name(column) not in found.columns)


@rule("key clause")
def key_clause(statement: ParsedStatement) -> Iterator[Match]:
    """The local engine supports keys only after the columns; write DISTKEY (column) and SORTKEY (columns) there.

    https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
    """
    if (found := table_keys(statement)) is None:
        return
    yield from map(Match, found.inline)
    advice = {
        "SORTKEY": "SORTKEY AUTO is Redshift's default; leave it out",
        "INTERLEAVED": "the local engine has no interleaved sort keys; write SORTKEY (columns)",
        "BACKUP": "the local engine does not support BACKUP; leave it out",
        "ENCODE": "ENCODE AUTO is Redshift's default; leave it out",
    }
    yield from (Match(segment, advice[segment.raw_upper]) for segment in found.other)


@rule("foreign key")
def foreign_key(statement: ParsedStatement) -> Iterator[Match]:
    """PostgreSQL enforces REFERENCES and Redshift does not; leave it out, and declare a check of kind relationship.

    https://docs.aws.amazon.com/redshift/latest/dg/t_Defining_constraints.html
    """
    if (found := table_keys(statement)) is not None:
        yield from map(Match, found.foreign)
