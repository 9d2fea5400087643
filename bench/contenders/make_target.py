"""``make run`` or ``make up`` in a clone, with installed packages: from nothing, or again."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def prepare(job: Mapping[str, Any]) -> Callable[[], int]:
    """Clone the repository.

    :param job: with ``commit``, which the clone has, ``target``, run or up, and ``again``, whether it was made before.
    """
    from sandbox.deployment import take_port

    clone = Path(tempfile.mkdtemp(dir=job["folder"]))
    subprocess.run(["git", "clone", "--quiet", "--no-checkout", Path.cwd(), clone], check=True)
    subprocess.run(["git", "checkout", "--quiet", "--detach", job["commit"]], cwd=clone, check=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    environment["PYTHONPATH"] = "plugins:dags:."

    def make(*command: str) -> None:
        subprocess.run([sys.executable, "-m", *command], cwd=clone, env=environment, check=True)

    commands = {"run": ("sandbox.run",), "up": ("sandbox.up", "up", "--port", str(take_port(None)))}
    if job["target"] == "up":
        atexit.register(make, "sandbox.up", "down")
    if job["again"]:
        make(*commands[job["target"]])
    if job["again"] and job["target"] == "up":
        make("sandbox.up", "down")

    def run() -> int:
        make(*commands[job["target"]])
        return 1

    return run
