"""Ours: complete tasks of the DAG, in one process, without a scheduler."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def prepare(job: Mapping[str, Any]) -> Callable[[], int]:
    """Load the DAG and create the tables.

    :param job: with ``tasks``, ``start`` and ``end``; optionally ``checks``, the folder of data quality checks.
    """
    os.environ.update(job["environment"])

    from sandbox.lab import Lab

    lab = Lab(job["database"], None, job["bucket"], job["environment"])  # type: ignore[arg-type] # tasks open their own store

    if "checks" in job:
        quality: Any = lab.dag.get_task("data_quality")
        quality.checks = job["checks"]

    def tasks(*names: str) -> dict[str, Any]:
        return lab.run(job["start"], job["end"], tasks=names)

    tasks("create_tables")

    def run() -> int:
        results = tasks(*job["tasks"])
        return int((results[job["tasks"][0]] or {}).get("rows", 0))

    return run
