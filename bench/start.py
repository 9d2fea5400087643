"""How long one waits: for the first answer, for a DAG file to be parsed, for a task to begin.

Each is measured in a fresh process: what it has to import is part of it, but for what the process before it has.
"""

from __future__ import annotations

import argparse
from statistics import median
from typing import TYPE_CHECKING

from bench.race import Contender, Result, race
from bench.report import Goal, Section, spread
from sandbox import airflow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.scene import Scene

CLONE = "a fresh clone to the first answer"
TASK, BARE = "a task's start, to its first row of the database", "the same of an idle DAG, with Airflow's hook"
PARSE = "parse {}, over an empty DAG file"
PARSE_SECONDS, TASK_SECONDS = 0.5, 0.1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what can be chosen."""
    parser.add_argument("--clone", action=argparse.BooleanOptionalAction, default=True, help=f"measure {CLONE}")
    parser.add_argument("--repeat", type=int, default=5, help="rounds (%(default)s)")


def shrink(given: argparse.Namespace) -> None:
    """Choose sizes that are small enough for a test."""
    given.repeat, given.clone = 1, False


def measure(given: argparse.Namespace, scene: Scene, tell: Callable[[str], None]) -> Iterator[Section]:
    """Yield what was found."""
    files = sorted((airflow.ROOT / "dags").glob("*.py"))
    contenders = [
        *(Contender(PARSE.format(file.name), "parse", 1, {"dag": file.stem}) for file in files),
        Contender(TASK, "task_start", 1, {"ours": True}),
        Contender(BARE, "task_start", 1, {"ours": False}),
        *([Contender(CLONE, "first_answer", 1)] if given.clone else []),
    ]
    results = race(scene, contenders, given.repeat, tell)
    yield Section(
        "Start",
        ["", "milliseconds: median (least to most)", "CPU-ms", "peak MB"],
        [
            (
                name,
                spread([1000 * value for value in result.seconds], digits=0),
                # The first answer is given by processes of its own.
                "" if name == CLONE else f"{1000 * median(sample.cpu for sample in result.samples):,.0f}",
                "" if name == CLONE else f"{result.peak / 1e6:,.0f}",
            )
            for name, result in results.items()
        ],
        [
            Goal(
                f"{PARSE.format(file.name)}:", _median(results[PARSE.format(file.name)]), most=PARSE_SECONDS, unit=" s"
            )
            for file in files
        ]
        + [
            Goal(
                "a task's start, what the project adds:",
                _median(results[TASK]) - _median(results[BARE]),
                most=TASK_SECONDS,
                unit=" s",
            )
        ],
        [
            "The first answer: `git clone` and `make run`, packages installed: servers, data, two days, checks.",
            "A task's process has what the process that forked it has imported (plugins/airflow_local_settings.py).",
        ],
    )


def _median(result: Result) -> float:
    return median(result.seconds)
