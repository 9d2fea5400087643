"""The benchmarks run, and report all they promise; what they measure is not tested."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from bench import history
from tests.conftest import ROOT

if TYPE_CHECKING:
    from tests.lab import Lab


def test_the_history_benchmark_reports_every_task_on_every_history(lab: Lab) -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "bench.history", "--smoke"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "plugins:dags:."},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout
    built = re.findall(r"^ *(\d+x): +[\d,]+ events, +[\d,]+ plays", printed, re.MULTILINE)
    assert built == ["1x", "2x", "3x"]
    timed = r"  +[\d,]+ \([\d,]+ to [\d,]+\)"
    rows = re.findall(rf"^  (\S.*?)(?:{timed}){{3}}(?:  +\d+\.\d\d){{2}} *$", printed, re.MULTILINE)
    tasks = [task.task_id for task in lab.dag.topological_sort()]
    assert rows == [*tasks, history.LOADS, history.TOTAL, history.BASELINE]
    assert re.search(r"^(Goal met|GOAL MISSED): .* 3x .* \d+\.\d\d times", printed, re.MULTILINE)
