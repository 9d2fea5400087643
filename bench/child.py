"""Run one contender once and write its measurement: the program of the processes that :mod:`bench.race` starts.

    python -m bench.child MODULE RESULT < JOB

It runs in the environment of the contender, so it imports the standard library only.
"""

from __future__ import annotations

import importlib
import json
import re
import resource
import sys
import time
from pathlib import Path


def main(module: str, result: str) -> None:
    """Run a contender.

    :param module: its module in ``bench.contenders``.
    :param result: the file to write, JSON: ``done``, ``seconds``, ``cpu`` (CPU seconds of this process), ``peak`` (its
        peak memory, in bytes) and ``growth`` (the increase of the peak during the work).
    """
    run = importlib.import_module(f"bench.contenders.{module}").prepare(json.load(sys.stdin))
    before = peak_memory()
    cpu, began = time.process_time(), time.perf_counter()
    done = run()
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    peak = peak_memory()
    figures = {"done": done, "seconds": seconds, "cpu": cpu, "peak": peak, "growth": peak - before}
    Path(result).write_text(json.dumps(figures))


def peak_memory() -> int:
    """Return the peak resident memory so far, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # on Linux, getrusage() may report the parent's peak
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        assert found
        return int(found[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main(*sys.argv[1:])
