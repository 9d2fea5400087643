"""The data dictionary of docs/, made from the DDL: ``python -m sandbox.dictionary`` writes it (``make format``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.airflow import ROOT
from sparkify.schema import dictionary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sparkify.schema.dictionary import DictionaryColumn, DictionaryTable

SQL = ROOT / "include" / "sql"
FILE = ROOT / "docs" / "dictionary.md"
_INTRODUCTION = """# Data dictionary

`make format` writes this file from the DDL, [include/sql/ddl](../include/sql/ddl); edit the comments there. The comment
line above a column is its description; its last sentences are `Unit: seconds.`, if its values have a unit, and
`Personal.`, if they are personal data. The first paragraph of the comment above CREATE TABLE describes the table.
`make check-project` and a test fail for a table or column without a description.

The same descriptions are on the warehouse page ([page.md](page.md)), with the lineage of each column. Comments in the
database (`COMMENT ON`) are published with OpenLineage's datasets: columns of personal data have the tag
`sensitivity: personal`.
"""


def text(tables: list[DictionaryTable]) -> str:
    """Return the content of the file."""
    return "\n".join([_INTRODUCTION, *(line for table in tables for line in _of_table(table))])


def _of_table(table: DictionaryTable) -> Iterator[str]:
    yield from (f"## {table.name}", "", table.description, "")
    yield from ("| column | type | description | unit | personal |", "|---|---|---|---|---|")
    yield from (_row(column) for column in table.columns)
    yield ""


def _row(column: DictionaryColumn) -> str:
    cells = (
        f"`{column.name}`",
        column.type,
        column.description,
        column.unit or "",
        "yes" if column.is_personal else "",
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def main() -> None:
    """Write the file."""
    FILE.write_text(text(dictionary.read(SQL)), encoding="utf-8")


if __name__ == "__main__":
    main()
