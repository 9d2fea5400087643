"""Check that a declared table and its columns are described: plugins/sparkify/schema/descriptions.py."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sparkify.schema.descriptions import MAX_BYTES, describe
from sql_rules.parsing import line_of
from sql_rules.rule import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sparkify.schema.descriptions import Description
    from sparkify.warehouse.ddl import Statement, Table

_COLUMN = "a comment line above it, such as: -- Length of the song. Unit: seconds. Personal."
_TABLE = "a comment line above CREATE TABLE, such as: -- One row per song."


def check_descriptions(statement: Statement, table: Table) -> Iterator[Violation]:
    """Yield the table and the columns without a description, and the invalid descriptions, with their lines.

    :param statement: the CREATE TABLE.
    :param table: the table that it creates.
    """
    described, columns = describe(statement)
    start = int(statement.where.rpartition(" ")[2])
    if problem := _problem(described):
        yield Violation("description", table.name, start, f"{problem} of the table {table.name}: expected {_TABLE}")
    for name, column in table.definitions.items():
        if problem := _problem(columns.get(name)):
            line = start + line_of(column) - line_of(statement.tree)
            yield Violation("description", name, line, f"{problem} of the column {name}: expected {_COLUMN}")


def _problem(description: Description | None) -> str:
    """Return what is wrong with a description; empty if nothing is."""
    if description is None:
        return "Missing description"
    if (size := len(description.comment.encode())) > MAX_BYTES:
        return f"Description of {size} bytes, more than {MAX_BYTES},"
    if not description.text.endswith(".") or re.search(r"\bUnit:|\bPersonal\.", description.text):
        return "Description that is not sentences, followed by its unit and its sensitivity,"
    return ""
