"""The code before the statements of a run were reduced, as a baseline: a checkout of its commit."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bench.race import ContenderError
from sandbox import airflow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.testbed import Testbed

COMMIT = "bcecb41d3468697c7ebcab54f2b71900e51007cb"
NAME = f"before: commit {COMMIT[:7]}"


@contextmanager
def checkout(testbed: Testbed) -> Iterator[Path]:
    """Check the commit out into a folder, and remove it at the end.

    :raises ContenderError: if the repository lacks the commit.
    """
    folder = testbed.folder / "before"
    _git("worktree", "add", "--detach", str(folder), COMMIT)
    try:
        yield folder
    finally:
        _git("worktree", "remove", "--force", str(folder))


def _git(*arguments: str) -> None:
    done = subprocess.run(["git", *arguments], cwd=airflow.ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ContenderError(
            f"git {' '.join(arguments[:2])} failed: {done.stderr.strip()}. The baseline needs a clone with its history."
        )
