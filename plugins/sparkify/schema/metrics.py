"""The semantic catalogue: the metrics of include/sql/metrics.

A file declares a metric once, as a view and its comment::

    -- Plays
    -- How often songs were played.
    -- Grain: day, level
    -- Additive: over days and levels
    -- Unit: plays
    SELECT a.day, a.level, a.plays AS value FROM daily_activity AS a

The grain is the columns that identify a row; the figure is in the last column, ``value``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sparkify.sql.heading import comment_lines

if TYPE_CHECKING:
    from pathlib import Path

_TAG = re.compile(r"(Grain|Additive|Unit): (.+)")


@dataclass(frozen=True)
class Metric:
    """A metric.

    :param name: the name of its view in the schema ``metrics``.
    :param title: its name for people.
    :param meaning: one or more sentences.
    :param grain: the columns that identify a value: a period of time, and attributes such as ``level``.
    :param additive: over what its values may be added: ``over days``, ``over days and levels`` or ``no``.
    :param unit: of its values: ``users``, ``hours``, ``%``.
    """

    name: str
    title: str
    meaning: str
    grain: tuple[str, ...]
    additive: str
    unit: str


def read(folder: Path) -> dict[str, Metric]:
    """Return the metrics of a folder by name, sorted.

    :raises DdlError: if the comment of a file lacks a title, a meaning or a tag.
    """
    return {path.stem: _metric(path) for path in sorted(folder.glob("*.sql"))}


def _metric(path: Path) -> Metric:
    title, *lines = comment_lines(path.read_text(encoding="utf-8")) or [""]
    tags = {match[1]: match[2] for line in lines if (match := _TAG.fullmatch(line))}
    meaning = " ".join(line for line in lines if not _TAG.fullmatch(line))
    if not (title and meaning and tags.keys() == {"Grain", "Additive", "Unit"}):
        from sparkify.warehouse.ddl import DdlError  # imports Airflow, which the page's readers may not need

        raise DdlError(
            f"{path.name}: expected a comment of a title, a meaning, and the lines -- Grain: ..., -- Additive: ... and "
            f"-- Unit: ...; got the title {title!r}, the meaning {meaning!r} and {', '.join(tags) or 'no such line'}."
        )
    return Metric(path.stem, title, meaning, tuple(tags["Grain"].split(", ")), tags["Additive"], tags["Unit"])
