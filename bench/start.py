"""Start-up latency: the parsing of a DAG file, the start of a task.

Each is measured in a fresh process, imports included, except those that its parent process has already done.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from bench.race import Contender, ContenderResult, race
from bench.results import Goal, ResultTable, spread
from sandbox import airflow

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from bench.testbed import Testbed

TASK, BARE = "task start to first database row", "the same in a minimal DAG with Airflow's hook"
PARSE = "parse {}, in addition to an empty DAG file"
PARSE_SECONDS, TASK_SECONDS = 0.5, 0.1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command-line options."""
    parser.add_argument("--repeat", type=int, default=5, help="rounds (%(default)s)")


def shrink(given: argparse.Namespace) -> None:
    """Choose sizes that are small enough for a test."""
    given.repeat = 1


def measure(given: argparse.Namespace, testbed: Testbed, progress: Callable[[str], None]) -> Iterator[ResultTable]:
    """Yield the result table."""
    files = sorted((airflow.ROOT / "dags").glob("*.py"))
    contenders = [
        *(Contender(PARSE.format(file.name), "parse", 1, {"dag": file.stem}) for file in files),
        Contender(TASK, "task_start", 1, {"ours": True}),
        Contender(BARE, "task_start", 1, {"ours": False}),
    ]
    results = race(testbed, contenders, given.repeat, progress)
    yield ResultTable(
        "Start",
        ["", "milliseconds: median (min to max)", "CPU-ms", "peak MB"],
        [
            (
                name,
                spread([1000 * value for value in result.seconds], digits=0),
                f"{1000 * median(measurement.cpu for measurement in result.measurements):,.0f}",
                f"{result.peak / 1e6:,.0f}",
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
                "task start, overhead of the project:",
                _median(results[TASK]) - _median(results[BARE]),
                most=TASK_SECONDS,
                unit=" s",
            )
        ],
        [
            "A task's process inherits the imports of the process that forks it (plugins/airflow_local_settings.py).",
        ],
    )


def _median(result: ContenderResult) -> float:
    return median(result.seconds)
