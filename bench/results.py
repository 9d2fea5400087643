"""The results of a benchmark: printed, and written to docs/benchmarks.md."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from rich.table import Table

from sandbox.airflow import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from rich.console import Console

    from bench.race import ContenderResult

FILE = ROOT / "docs" / "benchmarks.md"


@dataclass(frozen=True)
class Goal:
    """A measured value and its limit.

    :param text: what is measured, with a colon.
    :param value: the measured value.
    :param least: the minimum; None if there is none.
    :param most: the maximum; None if there is none.
    :param unit: the unit of the value and the limit, with a leading blank.
    """

    text: str
    value: float
    least: float | None = None
    most: float | None = None
    unit: str = ""

    @property
    def met(self) -> bool:
        return (self.least is None or self.value >= self.least) and (self.most is None or self.value <= self.most)

    def __str__(self) -> str:
        limit = f"at least {self.least:g}" if self.least is not None else f"at most {self.most:g}"
        verdict = "met" if self.met else "MISSED"
        return f"{verdict}: {self.text} {self.value:.3g}{self.unit} (goal: {limit}{self.unit})"


@dataclass
class ResultTable:
    """A table of results, with goals and notes.

    :param title: the heading.
    :param header: the names of the columns; the first is left-aligned.
    :param rows: the cells, as text.
    :param goals: the goals, met or missed.
    :param notes: explanations below the table.
    """

    title: str
    header: Sequence[str]
    rows: list[Sequence[str]]
    goals: Sequence[Goal] = ()
    notes: Sequence[str] = field(default_factory=list)

    def show(self, console: Console) -> None:
        """Print the table."""
        table = Table(title=self.title, title_justify="left", box=None, padding=(0, 2))
        for number, name in enumerate(self.header):
            table.add_column(name, justify="right" if number else "left")
        for row in self.rows:
            table.add_row(*row)
        console.print(table)
        for note in self.notes:
            console.print(note, soft_wrap=True)
        for goal in self.goals:
            console.print(f"  {goal}", soft_wrap=True)

    def markdown(self) -> str:
        """Return the table in Markdown."""
        lines = [
            f"### {self.title}",
            "",
            f"| {' | '.join(self.header)} |",
            f"|---|{'---:|' * (len(self.header) - 1)}",
            *(f"| {' | '.join(row)} |" for row in self.rows),
            "",
            *(f"{note}\n" for note in self.notes),
            *(f"- {goal}" for goal in self.goals),
        ]
        return "\n".join(lines).strip() + "\n"


def compare(
    results: Iterable[ContenderResult], ours: ContenderResult, unit: str
) -> tuple[list[str], list[Sequence[str]]]:
    """Return the header and the rows of a table that compares contenders with ours.

    :param unit: the unit of their counts, such as ``rows``.
    """
    header = ["", unit, "seconds: median (min to max)", "CPU-s", f"{unit}/s", "ours is", "peak MB", "growth MB"]
    rows = [
        (
            result.contender.name,
            f"{result.contender.count:,}",
            spread(result.seconds),
            f"{median(measurement.cpu for measurement in result.measurements):.2f}",
            f"{result.rate:,.0f}",
            "" if result is ours else f"{ours.rate / result.rate:.2f} x as fast",
            f"{result.peak / 1e6:,.0f}",
            f"{result.growth / 1e6:,.0f}",
        )
        for result in results
    ]
    return header, list(rows)


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Return median, minimum and maximum as text."""
    return f"{median(values):,.{digits}f} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def write(name: str, command: str, environment: str, tables: Sequence[ResultTable], file: Path = FILE) -> None:
    """Replace the results of a benchmark in the document, and keep the rest.

    :param name: the benchmark's name; its results are between two comments with that name.
    :param command: the command that was run.
    :param environment: see :func:`bench.testbed.describe_environment`.
    :raises ValueError: if the document does not contain these comments exactly once.
    """
    body = "\n".join([f"`{command}`, {environment}.\n", *(table.markdown() for table in tables)])
    markers = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
    text, count = markers.subn(lambda match: f"{match[1]}\n{body}\n{match[2]}", file.read_text())
    if count != 1:
        raise ValueError(f"{file}: expected <!-- {name} --> and <!-- end of {name} --> once, got {count}.")
    file.write_text(text)
