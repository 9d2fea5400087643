"""The code before the statements of a run were reduced, as a baseline: a checkout of its commit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bench.race import ContenderError
from sandbox import airflow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

COMMIT = "bcecb41d3468697c7ebcab54f2b71900e51007cb"
NAME = f"before: commit {COMMIT[:7]}"


@contextmanager
def checkout(parent: Path) -> Iterator[Path]:
    """Check the commit out into a new folder below ``parent``, and remove it at the end.

    :raises ContenderError: if the repository lacks the commit.
    """
    folder = parent / "before"
    _git("worktree", "add", "--detach", str(folder), COMMIT)
    try:
        yield folder
    finally:
        _git("worktree", "remove", "--force", str(folder))


def script(folder: Path, name: str, *arguments: str, environment: Mapping[str, str] | None = None) -> Any:
    """Run a script of ``bench/contenders`` with the modules of a checkout; return the JSON of its last line.

    :param folder: the checkout.
    :param environment: further environment variables.
    :raises ContenderError: if the script fails.
    """
    done = subprocess.run(
        [sys.executable, str(airflow.ROOT / "bench" / "contenders" / f"{name}.py"), *arguments],
        cwd=folder,
        # -P and PYTHONPATH: the modules of the checkout, not those beside the script.
        env={**os.environ, **(environment or {}), "PYTHONSAFEPATH": "1",
             "PYTHONPATH": os.pathsep.join(str(folder / part) for part in ("plugins", "dags", "."))},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise ContenderError(f"{folder}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def head() -> str:
    """Return the commit that is checked out here; changes that are not committed are not measured."""
    return _git("rev-parse", "HEAD")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=airflow.ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ContenderError(
            f"git {' '.join(arguments[:2])} failed: {done.stderr.strip()}. The baseline needs a clone with its history."
        )
    return done.stdout.strip()
