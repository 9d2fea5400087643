"""What a benchmark found: shown on a terminal, and kept in docs/benchmarks.md."""

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

    from bench.race import Result

FILE = ROOT / "docs" / "benchmarks.md"


@dataclass(frozen=True)
class Goal:
    """What is claimed.

    :param text: with ``{}`` where the limit stands.
    :param value: what was measured.
    :param least: the limit, where a larger value is better; else ``most``.
    :param unit: of the value and the limit.
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
class Section:
    """A table, what it means, and which goals are met.

    :param title: what was measured.
    :param header: of the table's columns; the first is aligned to the left.
    :param notes: what one has to know to read it.
    """

    title: str
    header: Sequence[str]
    rows: list[Sequence[str]]
    goals: Sequence[Goal] = ()
    notes: Sequence[str] = field(default_factory=list)

    def show(self, console: Console) -> None:
        """Print it."""
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
        """Return it for the document."""
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


def compare(results: Iterable[Result], ours: Result, unit: str) -> tuple[list[str], list[Sequence[str]]]:
    """Return the header and the rows of a table that compares what contenders took with what one took.

    :param unit: what they count, such as ``rows``.
    """
    header = ["", unit, "seconds: median (least to most)", "CPU-s", f"{unit}/s", "ours is", "peak MB", "for the work"]
    rows = [
        (
            result.contender.name,
            f"{result.contender.count:,}",
            spread(result.seconds),
            f"{median(sample.cpu for sample in result.samples):.2f}",
            f"{result.rate:,.0f}",
            "" if result is ours else f"{ours.rate / result.rate:.2f} x as fast",
            f"{result.peak / 1e6:,.0f}",
            f"{result.growth / 1e6:,.0f}",
        )
        for result in results
    ]
    return header, list(rows)


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Return a median, the least and the most."""
    return f"{median(values):,.{digits}f} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def write(name: str, command: str, circumstances: str, sections: Sequence[Section], file: Path = FILE) -> None:
    """Replace what the document has of a benchmark; what is around it stays.

    :param name: of the benchmark; the document has its place between two comments.
    :raises ValueError: if the document has no place for it.
    """
    body = "\n".join([f"`{command}`, {circumstances}.\n", *(section.markdown() for section in sections)])
    place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
    text, count = place.subn(lambda match: f"{match[1]}\n{body}\n{match[2]}", file.read_text())
    if count != 1:
        raise ValueError(f"{file} needs one place for {name}: <!-- {name} --> and <!-- end of {name} -->.")
    file.write_text(text)
