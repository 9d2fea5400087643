"""Tasks side by side, and which pairs of them have no serial order if they run at the same time."""

from __future__ import annotations

import logging
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import combinations_with_replacement, product
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from airflow.sdk import DAG

    from sandbox.lab import Lab
    from tests.redshift.endpoint import Endpoint
    from tests.redshift.isolation import Transaction

log = logging.getLogger(__name__)


def run(lab: Lab, start: str, end: str, dag: DAG | None = None) -> int:
    """Run a DAG as Airflow does: each task as soon as its upstream tasks have ended, with its retries, without delays.

    :return: the number of failed attempts.
    """
    dag = dag or lab.dag
    remaining = {task.task_id: set(task.upstream_task_ids) for task in dag.tasks}
    running: dict[Future[int], str] = {}

    def attempts(task: Any) -> int:
        for attempt in range(task.retries + 1):
            try:
                lab.execute(task, start=start, end=end)
            except AirflowSkipException:
                pass
            except Exception:
                if attempt == task.retries:
                    raise
                log.warning("Retrying: task_id=%s", task.task_id, exc_info=True)
                continue
            return attempt
        raise AssertionError

    failed = 0
    with ThreadPoolExecutor(len(remaining)) as pool:
        while remaining or running:
            for task_id in [task_id for task_id, upstream in remaining.items() if not upstream]:
                del remaining[task_id]
                running[pool.submit(attempts, dag.get_task(task_id))] = task_id
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                failed += future.result()
                ended = running.pop(future)
                for upstream in remaining.values():
                    upstream.discard(ended)
    return failed


def transactions(lab: Lab, endpoint: Endpoint, start: str, end: str, **params: Any) -> dict[str, list[Transaction]]:
    """Run the tasks one after the other; return the transactions of each."""
    found = {}
    for task_id in [task.task_id for task in lab.dag.topological_sort()]:
        before = len(endpoint.isolation.ended)
        lab.run(start, end, tasks=[task_id], **params)
        found[task_id] = endpoint.isolation.ended[before:]
    return found


def unordered(dag: DAG) -> Iterator[tuple[str, str]]:
    """Yield the pairs of tasks that run side by side in each run: neither waits for the other."""
    downstream = {task.task_id: {item.task_id for item in task.get_flat_relatives()} for task in dag.tasks}
    for one, other in product(sorted(downstream), repeat=2):
        if one < other and other not in downstream[one] and one not in downstream[other]:
            yield one, other


def conflicts(found: Mapping[str, Sequence[Transaction]]) -> dict[tuple[str, str], set[str]]:
    """Return the pairs of tasks that may conflict under SERIALIZABLE, with the tables.

    Two transactions may if each must come before the other: it reads a table that the other writes, or both write to
    it. Those that first lock the same table are never concurrent.
    """
    pairs: dict[tuple[str, str], set[str]] = {}
    for one, other in combinations_with_replacement(sorted(found), 2):
        for left, right in product(found[one], found[other]):
            created = left.created | right.created
            both = (left.writes.keys() & right.writes) - created
            forth, back = (left.reads & right.writes.keys()) - created, (right.reads & left.writes.keys()) - created
            if not left.locked & right.locked and ((forth and (back or both)) or (back and both)):
                pairs.setdefault((one, other), set()).update(forth | back | both)
    return pairs


def deadlocks(found: Mapping[str, Sequence[Transaction]]) -> set[tuple[str, str]]:
    """Return the pairs of tasks that may deadlock: one locks several tables at once, the other uses two of them."""
    return {
        (one, other)
        for one, other in product(found, repeat=2)
        for locking, using in product(found[one], found[other])
        if len(locking.locked & (using.reads | using.writes.keys())) > 1 and not locking.locked & using.locked
    }
