"""From a fresh clone to the first query result: ``make run`` with installed packages."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def prepare(job: Mapping[str, Any]) -> Callable[[], int]:
    """Create the folder of the clone."""
    clone = Path(tempfile.mkdtemp(dir=job["folder"]))

    def run() -> int:
        subprocess.run(["git", "clone", "--quiet", Path.cwd(), clone], check=True)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        environment["PYTHONPATH"] = "plugins:dags"
        subprocess.run([sys.executable, "-m", "sandbox.run"], cwd=clone, env=environment, check=True)
        return 1

    return run
