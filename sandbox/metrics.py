"""The semantic catalogue of docs/, made from its files: ``python -m sandbox.metrics`` writes it (``make format``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.airflow import ROOT
from sparkify.schema import metrics

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sparkify.schema.metrics import Metric

FOLDER = ROOT / "include" / "sql" / "metrics"
FILE = ROOT / "docs" / "metrics.md"
_BEGIN, _END = "<!-- begin: make format -->", "<!-- end: make format -->"


def table(catalogue: Iterable[Metric]) -> str:
    """Return the metrics as a table."""
    rows = [
        f"| `{item.name}` | {item.title} | {item.meaning} | {', '.join(item.grain)} | {item.additive} | {item.unit} |"
        for item in catalogue
    ]
    head = ["| view | metric | meaning | grain | additive | unit |", "|---|---|---|---|---|---|"]
    return "\n".join([_BEGIN, *head, *rows, _END])


def updated(text: str) -> str:
    """Return the document with the table of the current files."""
    before, rest = text.split(_BEGIN)
    return before + table(metrics.read(FOLDER).values()) + rest.split(_END)[1]


def main() -> None:
    """Write the file."""
    FILE.write_text(updated(FILE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
