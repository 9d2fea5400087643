"""Measure contenders that do the same work, alternately, each round in a fresh process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from sandbox import airflow, servers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.testbed import Testbed

OWN = Path(sys.executable)
OTHERS = airflow.ROOT / ".venv-bench" / "bin" / "python"  # with requirements-bench.txt


class Measurement(NamedTuple):
    """One round of one contender: times in seconds, memory in bytes. See :func:`bench.child.main`."""

    done: int
    seconds: float
    cpu: float
    peak: int
    growth: int


class ContenderError(Exception):
    """A contender failed, or did not do all its work; the message contains its output."""


@dataclass(frozen=True)
class Contender:
    """A program to measure.

    :param name: its name in the results.
    :param module: its module in ``bench.contenders``.
    :param count: rows or objects to process per round; slow contenders may get fewer than the others.
    :param job: arguments of its ``prepare()``, in addition to the servers.
    :param like: the database that its own is a copy of.
    :param python: the interpreter with the packages that it needs.
    :param rows: the expected return value, if it is not ``count``.
    :param checkout: the checkout of the project whose plugins and DAGs it runs.
    """

    name: str
    module: str
    count: int
    job: Mapping[str, Any] = field(default_factory=dict)
    like: str | None = None
    python: Path = OWN
    rows: int | None = None
    checkout: Path = airflow.ROOT


@dataclass
class ContenderResult:
    """The measurements of a contender, one per round."""

    contender: Contender
    measurements: list[Measurement] = field(default_factory=list)

    @property
    def seconds(self) -> list[float]:
        return [measurement.seconds for measurement in self.measurements]

    @property
    def rate(self) -> float:
        """Rows or objects per second, of the median round."""
        return self.contender.count / median(self.seconds)

    @property
    def peak(self) -> int:
        return max(measurement.peak for measurement in self.measurements)

    @property
    def growth(self) -> int:
        return max(measurement.growth for measurement in self.measurements)


def race(
    testbed: Testbed, contenders: Sequence[Contender], rounds: int, progress: Callable[[str], None]
) -> dict[str, ContenderResult]:
    """Run all contenders alternately, so that other load on the machine affects all of them.

    :param progress: called with a line of text after each round.
    :return: the results by contender name, without contenders whose environment is not installed.
    :raises ContenderError: if a contender fails, or returns an unexpected count.
    """
    results = {}
    for contender in contenders:
        if contender.python.exists():
            results[contender.name] = ContenderResult(contender)
        else:
            progress(
                f"Skipped, {contender.python.parents[1].name} is missing (`make bench` installs it): {contender.name}"
            )
    for number in range(1, rounds + 1):
        for result in results.values():
            measurement = run(testbed, result.contender)
            result.measurements.append(measurement)
            progress(f"round {number}, {result.contender.name}: {measurement.seconds:.2f} s")
    return results


def run(testbed: Testbed, contender: Contender, database: str | None = None) -> Measurement:
    """Run a contender once, in a new database.

    :param database: URI of an existing database to use instead, which is kept.
    :raises ContenderError: see :func:`race`.
    """
    if database is None:
        with testbed.database("round", contender.like) as database:
            return run(testbed, contender, database)
    job = {
        "database": database,
        "endpoint": testbed.s3.endpoint,
        "region": servers.REGION,
        "access_key": servers.ACCESS_KEY,
        "secret_key": servers.SECRET_KEY,
        "folder": str(testbed.folder),
        "environment": testbed.connections(database.partition("?")[0].rpartition("/")[2]),
        **contender.job,
    }
    with tempfile.TemporaryDirectory(dir=testbed.folder) as folder:
        result, log = Path(folder) / "result", Path(folder) / "log"
        with log.open("w") as output:
            process = subprocess.run(
                [contender.python, "-m", "bench.child", contender.module, result],
                cwd=airflow.ROOT,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, _path(contender.checkout)))},
                input=json.dumps(job),
                text=True,
                stdout=output,
                stderr=output,
                check=False,
            )
        if process.returncode:
            printed = log.read_text()[-4000:] or "nothing"
            raise ContenderError(f"{contender.name} failed with exit code {process.returncode}. It printed:\n{printed}")
        measurement = Measurement(**json.loads(result.read_text()))
    check(contender, measurement)
    return measurement


def _path(checkout: Path) -> tuple[Path, ...]:
    """Return where a contender's process finds modules: the project of the checkout, the benchmarks of this one."""
    return checkout / "plugins", checkout / "dags", airflow.ROOT


def check(contender: Contender, measurement: Measurement) -> None:
    """Raise ContenderError if a contender did not do all its work."""
    expected = contender.count if contender.rows is None else contender.rows
    if measurement.done != expected:
        raise ContenderError(f"{contender.name}: expected a count of {expected:,}, got {measurement.done:,}.")
