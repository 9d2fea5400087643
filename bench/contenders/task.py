"""Ours: complete tasks of the DAG, in one process, without a scheduler."""

from __future__ import annotations

import os
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def prepare(job: Mapping[str, Any]) -> Callable[[], int]:
    """Load the DAG and create the tables.

    :param job: with ``tasks``, ``start`` and ``end``; optionally ``checks``, the folder of data quality checks, and
        ``side_by_side``: whether a task begins when those before it have ended, as on a scheduler. Otherwise they run
        one after the other.
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

    def side_by_side(*names: str) -> dict[str, Any]:
        graph = {name: lab.dag.get_task(name).get_flat_relative_ids(upstream=True) & {*names} for name in names}
        order = TopologicalSorter(graph)
        results: dict[str, Any] = {}
        running: dict[Future[dict[str, Any]], str] = {}
        order.prepare()
        with ThreadPoolExecutor(len(names)) as threads:
            while order.is_active():
                running |= {threads.submit(tasks, name): name for name in order.get_ready()}
                for ended in wait(running, return_when=FIRST_COMPLETED).done:
                    results |= ended.result()
                    order.done(running.pop(ended))
        return results

    def run() -> int:
        results = (side_by_side if job.get("side_by_side") else tasks)(*job["tasks"])
        return int((results[job["tasks"][0]] or {}).get("rows", 0))

    return run
