"""Let contenders do the same work in turn, each time in a fresh process, and keep what each took."""

from __future__ import annotations

import json
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

    from bench.scene import Scene

OWN = Path(sys.executable)
OTHERS = airflow.ROOT / ".venv-bench" / "bin" / "python"  # with requirements-bench.txt


class Sample(NamedTuple):
    """One round of one contender; memory in bytes, times in seconds. See :func:`bench.child.main`."""

    done: int
    seconds: float
    cpu: float
    peak: int
    growth: int


class ContenderError(Exception):
    """A contender failed or did not do its work; the message has what it printed."""


@dataclass(frozen=True)
class Contender:
    """Who is measured.

    :param name: as the report calls it.
    :param module: below ``bench.contenders``.
    :param count: rows or objects that it has to do in a round: a slow one may be given less than the others.
    :param job: what its ``prepare()`` is told, beside where the servers are.
    :param like: the database whose content it starts with.
    :param python: the interpreter with the packages it needs.
    :param rows: what it has to return where that is not ``count``.
    """

    name: str
    module: str
    count: int
    job: Mapping[str, Any] = field(default_factory=dict)
    like: str | None = None
    python: Path = OWN
    rows: int | None = None


@dataclass
class Result:
    """What a contender took, round by round."""

    contender: Contender
    samples: list[Sample] = field(default_factory=list)

    @property
    def seconds(self) -> list[float]:
        return [sample.seconds for sample in self.samples]

    @property
    def rate(self) -> float:
        """Rows or objects a second: that of the median round."""
        return self.contender.count / median(self.seconds)

    @property
    def peak(self) -> int:
        return max(sample.peak for sample in self.samples)

    @property
    def growth(self) -> int:
        return max(sample.growth for sample in self.samples)


def race(scene: Scene, contenders: Sequence[Contender], rounds: int, tell: Callable[[str], None]) -> dict[str, Result]:
    """Let each contender do its work once, then each again, and so on: what disturbs the machine disturbs all.

    :param tell: is told each round's outcome.
    :return: the results by the contenders' names, without those whose environment is not installed.
    :raises ContenderError: if one fails, or does another count than it has to.
    """
    results = {}
    for contender in contenders:
        if contender.python.exists():
            results[contender.name] = Result(contender)
        else:
            tell(
                f"Left out, for want of {contender.python.parents[1].name} (`make bench` installs it): {contender.name}"
            )
    for number in range(1, rounds + 1):
        for result in results.values():
            sample = run(scene, result.contender)
            result.samples.append(sample)
            tell(f"round {number}, {result.contender.name}: {sample.seconds:.2f} s")
    return results


def run(scene: Scene, contender: Contender, database: str | None = None) -> Sample:
    """Run a contender once, in a database of its own.

    :param database: the URI of one to use, and to keep, instead.
    :raises ContenderError: see :func:`race`.
    """
    if database is None:
        with scene.database("round", contender.like) as database:
            return run(scene, contender, database)
    job = {
        "database": database,
        "endpoint": scene.s3.endpoint,
        "region": servers.REGION,
        "access_key": servers.ACCESS_KEY,
        "secret_key": servers.SECRET_KEY,
        "folder": str(scene.folder),
        "environment": scene.connections(database.partition("?")[0].rpartition("/")[2]),
        **contender.job,
    }
    with tempfile.TemporaryDirectory(dir=scene.folder) as folder:
        result, log = Path(folder) / "result", Path(folder) / "log"
        with log.open("w") as output:
            process = subprocess.run(
                [contender.python, "-m", "bench.child", contender.module, result],
                cwd=airflow.ROOT,
                input=json.dumps(job),
                text=True,
                stdout=output,
                stderr=output,
                check=False,
            )
        if process.returncode:
            printed = log.read_text()[-4000:] or "nothing"
            raise ContenderError(f"{contender.name} failed with exit code {process.returncode}. It printed:\n{printed}")
        sample = Sample(**json.loads(result.read_text()))
    check(contender, sample)
    return sample


def check(contender: Contender, sample: Sample) -> None:
    """Raise ContenderError where a contender did not do its work."""
    expected = contender.count if contender.rows is None else contender.rows
    if sample.done != expected:
        raise ContenderError(f"{contender.name} did {sample.done:,} and not {expected:,}.")
