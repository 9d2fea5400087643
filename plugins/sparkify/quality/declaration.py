"""Checks as they are declared: a YAML file for each table.

The files are validated against the schema that editors use, too; every problem is reported with file and line.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import yaml

from sparkify.quality.kinds import KINDS
from sparkify.quality.kinds.kind import CheckedRows, Kind, NumberKind
from sparkify.quality.schema import schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from sparkify.interval import Interval
    from sparkify.quality.result import Scope, Severity


class DeclarationError(Exception):
    """Invalid declarations of checks; the message has one line per problem: file, line, expected value."""


@dataclass(frozen=True)
class Check:
    """A data quality check of a table.

    :param table: the table.
    :param key: the columns that identify a row in messages.
    :param interval: the table's partition column, which determines the run that owns a row; None if it has none.
    :param name: the expectation in words; unique within the table.
    :param kind: the kind of check, with its options.
    :param severity: ``error`` fails the run, ``warn`` does not.
    :param scope: the rows of the run's ``interval``, or the whole ``table``.
    :param allow: the tolerated failing rows: a number, or a percentage of all rows such as ``1 %``.
    :param why: why it matters.
    :param remedy: what to do if it fails.
    :param where: file and line of the declaration.
    """

    table: str
    key: tuple[str, ...]
    interval: str | None
    name: str
    kind: Kind
    severity: Severity
    scope: Scope
    allow: int | str
    why: str
    remedy: str
    where: str

    @property
    def columns(self) -> set[str]:
        """The columns of the table that the declaration references."""
        return {*self.key, *([self.interval] if self.interval else []), *self.kind.columns}

    @property
    def column(self) -> str | None:
        """The checked column, if it is exactly one."""
        return self.kind.columns[0] if len(self.kind.columns) == 1 else None

    def rows(self, interval: Interval) -> CheckedRows:
        """Return the rows that the check covers in a run.

        :param interval: the run's interval.
        """
        return CheckedRows(self.table, self.key, self.interval, interval, whole_table=self.scope == "table")


def load(folder: Path) -> list[Check]:
    """Read the checks of all files of a folder.

    :raises DeclarationError: if any is invalid; lists all problems of all files.
    """
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise DeclarationError(f"Folder {folder} has no files of checks: expected *.yaml.")
    checks: list[Check] = []
    problems: list[str] = []
    for path in files:
        try:
            checks += parse(path.read_text(encoding="utf-8"), f"{folder.name}/{path.name}")
        except DeclarationError as error:
            problems.append(str(error))
    if problems:
        raise DeclarationError("\n".join(problems))
    return checks


def parse(text: str, file: str) -> list[Check]:
    """Read the checks of one table.

    :param text: the YAML document.
    :param file: its name in messages.
    :raises DeclarationError: if it is invalid; lists all problems.
    """
    return list(_parse(text, file))


@lru_cache(maxsize=128)  # to validate a file takes milliseconds; the page reads it for each request
def _parse(text: str, file: str) -> tuple[Check, ...]:
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
        document = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DeclarationError(f"{file} line {line}: invalid YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise DeclarationError(f"{file} line 1: invalid YAML: {error}") from None
    found = {
        (_line(node, error.absolute_path), _explain(error))
        for error in _validator().iter_errors(document)
        if error.validator != "oneOf" or isinstance(error.instance, dict)  # what is not a check is reported once
    }
    found |= {(line, f"duplicate key {key!r}") for line, key in _duplicate_keys(node)}
    if not found:
        found |= set(_contradictions(document, node))
    if found:
        raise DeclarationError("\n".join(f"{file} line {line}: {problem}" for line, problem in sorted(found)))
    return tuple(
        _check(document, item, f"{file} line {_line(node, ['checks', number])}")
        for number, item in enumerate(document["checks"])
    )


def _check(document: Mapping[str, Any], item: Mapping[str, Any], where: str) -> Check:
    key = document["key"]
    return Check(
        table=document["table"],
        key=(key,) if isinstance(key, str) else tuple(key),
        interval=document.get("interval"),
        name=item["name"],
        kind=_kind(item),
        severity=item.get("severity", "error"),
        scope=item.get("scope", "interval"),
        allow=item.get("allow", 0),
        why=" ".join(item["why"].split()),
        remedy=" ".join(item["remedy"].split()),
        where=where,
    )


def _kind(item: Mapping[str, Any]) -> Kind:
    kind = next(kind for name, kind in KINDS.items() if name in item)
    return kind.read(item[kind.name])


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema())


def _explain(error: Any) -> str:
    """Return the problem and what was expected."""
    rule, found = error.validator, error.instance
    if rule == "oneOf":
        named = [kind for kind in KINDS if kind in found]
        return f"expected exactly one of {', '.join(KINDS)}; this one has {' and '.join(named) or 'none'}"
    if rule == "required":
        missing = [name for name in error.validator_value if name not in found]
        return f"missing: {', '.join(missing)}"
    if rule == "additionalProperties":
        expected_names = list(error.schema["properties"])
        unknown = [name for name in found if name not in expected_names]
        hints = [close for name in unknown for close in difflib.get_close_matches(str(name), expected_names, 1)]
        meant = f"; did you mean {', '.join(hints)}?" if hints else f"; expected one of {', '.join(expected_names)}"
        return f"unknown: {', '.join(map(_short, unknown))}{meant}"
    expected = f"one of {', '.join(error.validator_value)}" if rule == "enum" else _description(error)
    key = next((f"{part}: " for part in reversed(error.absolute_path) if isinstance(part, str)), "")
    return f"{key}expected {expected}; found {_short(found)}"


def _description(error: Any) -> str:
    """Return the schema's description of the expected value, or its error message."""
    return str(error.schema.get("description") or error.message)


def _short(found: Any) -> str:
    text = json.dumps(found, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def _line(node: yaml.Node | None, path: Sequence[str | int]) -> int:
    """Return the line of the node at a path, or of its nearest existing parent."""
    for part in path:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == str(part)), node)
        elif isinstance(node, yaml.SequenceNode):
            node = node.value[int(part)]
    return node.start_mark.line + 1 if node else 1


def _duplicate_keys(node: yaml.Node | None) -> Iterator[tuple[int, str]]:
    """Yield duplicate keys of mappings: YAML would use the last one, and silently drop a check."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield key.start_mark.line + 1, key.value
            seen.add(key.value)
            yield from _duplicate_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _duplicate_keys(item)


def _contradictions(document: Mapping[str, Any], node: yaml.Node | None) -> Iterator[tuple[int, str]]:
    """Yield the problems that the schema cannot express."""
    names: set[str] = set()
    for number, item in enumerate(document["checks"]):
        line = _line(node, ["checks", number])
        if item["name"] in names:
            yield line, f"duplicate check name {item['name']!r}; the history identifies checks by name"
        names.add(item["name"])
        if item.get("scope", "interval") == "interval" and "interval" not in document:
            yield line, "a check of scope interval needs the table's interval column; or give it scope: table"
        kind = _kind(item)
        if "allow" in item and isinstance(kind, NumberKind):
            yield line, "allow is a number of failing rows; this check has no rows, set its own bounds"
        if problem := kind.contradiction:
            yield _line(node, ["checks", number, kind.name]), f"{kind.name}: {problem}"
