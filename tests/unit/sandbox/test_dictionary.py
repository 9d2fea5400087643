"""docs/dictionary.md is the dictionary of the DDL."""

from __future__ import annotations

from sandbox.dictionary import FILE, SQL, text
from sparkify.schema import dictionary
from sparkify.schema.dictionary import DictionaryColumn, DictionaryTable


def test_the_document_is_up_to_date() -> None:
    assert FILE.read_text() == text(dictionary.read(SQL)), "the DDL has changed: run make format"


def test_a_column_is_a_row() -> None:
    length = DictionaryColumn("length", "DOUBLE PRECISION", "a | b.", "seconds", is_personal=True, sources=["e.length"])
    name = DictionaryColumn("name", "VARCHAR(9)", "Name.", None, is_personal=False, sources=[])
    assert text([DictionaryTable("plays", "One row per play.", [length, name], ["e"])]).endswith(
        """
## plays

One row per play.

| column | type | description | unit | personal |
|---|---|---|---|---|
| `length` | DOUBLE PRECISION | a \\| b. | seconds | yes |
| `name` | VARCHAR(9) | Name. |  |  |
"""
    )
