"""A backfill: ordered from a running Airflow, followed to its end, and explained."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import httpx

    from sandbox.stack import Stack

HOUR = timedelta(hours=1)
REPROCESS = ("none", "failed", "completed")
# The task that checks the data.
CHECKS = "data_quality"
# The failed runs whose logs are read, and the runs that the API is asked for at once (its maximum_page_limit).
EXPLAINED = 5
PAGE = 100


@dataclass(frozen=True)
class Options:
    """How to load the hours.

    :param runs: runs at once.
    :param reprocess: which hours to load again of those that have a run: ``none``, those whose run ``failed``, or all
        whose run is ``completed``.
    :param backwards: the latest hour first.
    """

    runs: int = 6
    reprocess: str = "none"
    backwards: bool = False


class Run(NamedTuple):
    """An hour of a backfill.

    :param hour: its first moment.
    :param skipped: why Airflow made no run of it in this backfill (``already exists``, ``in flight``), else None.
    :param run_id: of the hour's run: the backfill's, or the one that was there; None when it was deleted since.
    :param state: of that run.
    """

    hour: datetime
    skipped: str | None
    run_id: str | None
    state: str | None

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to it."""
        return self.state not in ("queued", "running")


class Failure(NamedTuple):
    """A try of a task that failed.

    :param error: the last error in its log.
    """

    hour: datetime
    task_id: str
    error: str


@dataclass(frozen=True)
class Outcome:
    """What a backfill came to.

    :param runs: the hours, in order.
    :param checks: how often the checks of the backfill's own runs came to which state: ``success``, ``failed``, or
        another where the run did not come as far.
    :param failures: the failed tasks of the first failed runs.
    """

    runs: list[Run]
    checks: Counter[str]
    failures: list[Failure]

    @property
    def succeeded(self) -> bool:
        """Whether every hour is loaded, now or before."""
        return all(run.state == "success" for run in self.runs)

    @property
    def failed(self) -> list[Run]:
        """The hours whose run failed, now or before."""
        return [run for run in self.runs if run.state == "failed"]

    @property
    def skipped(self) -> list[Run]:
        """The hours of which Airflow made no run in this backfill."""
        return [run for run in self.runs if run.skipped]


class Backfill:
    """The backfill of one DAG over a range of hours.

    :param stack: the Airflow that does it.
    :param client: of its API.
    :param metadata: URI of its metadata database. The API tells neither which runs belong to a backfill nor why a date
        was skipped.
    """

    def __init__(self, stack: Stack, client: httpx.Client, metadata: str, dag_id: str) -> None:
        self._stack = stack
        self._client = client
        self._metadata = metadata
        self._dag = f"/api/v2/dags/{dag_id}"
        self._dag_id = dag_id
        self._id = -1

    def begin(self, start: datetime, end: datetime, options: Options) -> str:
        """Order the backfill of the hours from ``start`` to before ``end``.

        A DAG has one active backfill. One of the same hours, left behind when Airflow was stopped, goes on; one of
        other hours is cancelled: of its runs, those that have not begun fail, and are loaded where they are asked for.

        :return: what became of an earlier one, for people to read; or nothing.
        :raises httpx.HTTPStatusError: where Airflow refuses; carries its reason.
        """
        # A run's logical date is the start of its hour, and Airflow's range includes both of its ends.
        first, last = start, end - HOUR
        self._client.patch(self._dag, json={"is_paused": False})
        told, reprocess = "", options.reprocess
        if earlier := self._active():
            self._id = earlier["id"]
            runs = self.runs()
            left = [run for run in runs if not run.ended]
            span = (datetime.fromisoformat(earlier["from_date"]), datetime.fromisoformat(earlier["to_date"]))
            same = (*span, earlier["reprocess_behavior"]) == (first, last, options.reprocess)
            # Its order may have been interrupted too: then some hours are not in it.
            if left and same and len(runs) == (end - start) // HOUR:
                return f"An interrupted backfill of these hours goes on as it was ordered: {len(left):,} runs are left."
            if left:
                self._client.put(f"/api/v2/backfills/{self._id}/cancel")
                told = (
                    f"An interrupted backfill that was ordered otherwise is cancelled: {len(left):,} of its runs were "
                    f"left, from {left[0].hour:%Y-%m-%d %H:%M} on. REPROCESS=failed loads what is left then."
                )
                # Cancelled runs have failed: those of these hours are to be loaded nevertheless.
                reprocess = "failed" if reprocess == "none" else reprocess
            # Airflow notes every 30 seconds that a backfill has ended. To cancel it would be faster, but the runs of a
            # cancelled backfill do not start again when somebody clears them.
            while self._active():
                self._stack.check()
                time.sleep(1)
        body = {
            "dag_id": self._dag_id,
            "from_date": first.isoformat(),
            "to_date": last.isoformat(),
            "max_active_runs": options.runs,
            "reprocess_behavior": reprocess,
            "run_backwards": options.backwards,
        }
        # It makes all runs before it answers: seconds for a day, minutes for a year.
        self._id = self._client.post("/api/v2/backfills", json=body, timeout=None).json()["id"]
        return told

    def wait(self, tell: Callable[[Sequence[Run], Sequence[Failure]], None], *, every: float = 1) -> Outcome:
        """Wait until every hour's run has ended.

        :param tell: is told, again and again, the hours as they are, and the tries of tasks that failed since and that
            Airflow repeats; no more than a few of those, all told.
        :param every: seconds between that.
        :raises StackError: where Airflow stops.
        """
        told: set[tuple[str, str, int]] = set()
        while True:
            self._stack.check()
            runs = self.runs()
            retries = []
            hours = {run.run_id: run.hour for run in runs if run.run_id and run.state == "running"}
            for task in self._tasks(list(hours), state=["up_for_retry"]):
                attempt = (task["dag_run_id"], task["task_id"], task["try_number"])
                if attempt not in told and len(told) < EXPLAINED:
                    told.add(attempt)
                    retries.append(self._explain(hours[task["dag_run_id"]], task))
            tell(runs, retries)
            if all(run.ended for run in runs):
                break
            time.sleep(every)
        own = [run.run_id for run in runs if run.run_id and not run.skipped]
        checks = Counter(str(task["state"]) for task in self._tasks(own, task_ids=[CHECKS]))
        outcome = Outcome(runs, checks, [])
        failed = {str(run.run_id): run.hour for run in outcome.failed[:EXPLAINED]}
        tasks = self._tasks(list(failed), state=["failed"])
        outcome.failures.extend(self._explain(failed[task["dag_run_id"]], task) for task in tasks)
        return outcome

    def runs(self) -> list[Run]:
        """Return the hours as they are."""
        with psycopg.connect(self._metadata) as connection:
            rows = connection.execute(
                "SELECT b.logical_date, b.exception_reason, r.run_id, r.state FROM backfill_dag_run AS b "
                "LEFT JOIN dag_run AS r ON r.dag_id = %s AND r.logical_date = b.logical_date "
                "WHERE b.backfill_id = %s ORDER BY b.logical_date",
                [self._dag_id, self._id],
            ).fetchall()
        return [Run(*row) for row in rows]

    def _active(self) -> dict[str, Any] | None:
        """Return the DAG's backfill that has not ended."""
        query: dict[str, str | int] = {"dag_id": self._dag_id, "order_by": "-id", "limit": 1}
        latest = self._client.get("/api/v2/backfills", params=query).json()["backfills"]
        return latest[0] if latest and not latest[0]["completed_at"] else None

    def _tasks(self, run_ids: Sequence[str], **wanted: Any) -> list[dict[str, Any]]:
        """Return the task instances of runs; wanted of each run is no more than one page of them."""
        found = []
        for first in range(0, len(run_ids), PAGE):
            body = {
                "dag_ids": [self._dag_id],
                "dag_run_ids": run_ids[first : first + PAGE],
                "page_limit": PAGE,
                **wanted,
            }
            path = "/api/v2/dags/~/dagRuns/~/taskInstances/list"
            found += self._client.post(path, json=body).json()["task_instances"]
        return found

    def _explain(self, hour: datetime, task: dict[str, Any]) -> Failure:
        """Read the log of a task's last try."""
        run_id, task_id = quote(task["dag_run_id"], safe=""), task["task_id"]
        path = f"{self._dag}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{task['try_number']}"
        log = self._client.get(path, params={"full_content": True}, headers={"Accept": "application/json"}).json()
        lines = [line for line in log["content"] if isinstance(line, dict)]
        errors = [line for line in lines if line.get("level") in ("error", "critical")]
        if not errors:
            return Failure(hour, task_id, "its log names no error")
        # An exception is followed by what it was raised from.
        details = next((line["error_detail"] for line in reversed(errors) if line.get("error_detail")), None)
        return Failure(hour, task_id, details[0]["exc_value"] if details else errors[-1]["event"])
