"""A client for backfills of a running Airflow: start one, wait for its end, report its results."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg

from sandbox.api import PAGE, dag_run_path

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.api import AirflowClient
    from sandbox.deployment import LocalDeployment

HOUR = timedelta(hours=1)
REPROCESS = ("none", "failed", "completed")
QUALITY_TASK = "data_quality"
# Number of failed runs whose logs are read.
EXPLAINED = 5


@dataclass(frozen=True)
class BackfillOptions:
    """How to load the hours.

    :param runs: maximum number of parallel runs.
    :param reprocess: Airflow's reprocess behavior for hours that have a run: ``none``, those that ``failed``, or all
        that are ``completed``.
    :param backwards: latest hour first.
    """

    runs: int = 6
    reprocess: str = "none"
    backwards: bool = False


class BackfillRun(NamedTuple):
    """An hour of a backfill.

    :param hour: its start.
    :param skipped: why Airflow created no run of it in this backfill (``already exists``, ``in flight``), else None.
    :param run_id: of the hour's run: the backfill's, or the existing one; None if it was deleted since.
    :param state: of that run.
    """

    hour: datetime
    skipped: str | None
    run_id: str | None
    state: str | None

    @property
    def ended(self) -> bool:
        """Whether it is finished."""
        return self.state not in ("queued", "running")


class FailedTask(NamedTuple):
    """A failed attempt of a task.

    :param error: the last error in its log.
    """

    hour: datetime
    task_id: str
    error: str


@dataclass(frozen=True)
class BackfillResult:
    """The results of a backfill.

    :param runs: the hours, in order.
    :param checks: the number of the backfill's own runs by the state of their checks: ``success``, ``failed``, or
        another if the run did not reach them.
    :param failures: the failed tasks of the first failed runs.
    """

    runs: list[BackfillRun]
    checks: Counter[str]
    failures: list[FailedTask]

    @property
    def succeeded(self) -> bool:
        """Whether every hour is loaded, by this backfill or before."""
        return all(run.state == "success" for run in self.runs)

    @property
    def failed(self) -> list[BackfillRun]:
        """The hours whose run failed, in this backfill or before."""
        return [run for run in self.runs if run.state == "failed"]

    @property
    def skipped(self) -> list[BackfillRun]:
        """The hours of which Airflow created no run in this backfill."""
        return [run for run in self.runs if run.skipped]


class Backfill:
    """The backfill of one DAG over a range of hours.

    :param deployment: the Airflow that runs it.
    :param client: of its API.
    :param metadata: URI of its metadata database. The API reports neither which runs belong to a backfill nor why a
        date was skipped.
    """

    def __init__(self, deployment: LocalDeployment, client: AirflowClient, metadata: str, dag_id: str) -> None:
        self._deployment = deployment
        self._client = client
        self._metadata = metadata
        self._dag_id = dag_id
        self._id = -1

    def begin(self, start: datetime, end: datetime, options: BackfillOptions) -> str:
        """Start the backfill of the hours from ``start`` to ``end``, exclusive.

        A DAG has one active backfill. An interrupted one of the same hours continues; one of other hours is cancelled:
        those of its runs that have not started fail, and are reprocessed if they are part of the new one.

        :return: a message about an earlier backfill; empty if there was none.
        :raises httpx.HTTPStatusError: if Airflow rejects it, with the reason.
        """
        # A run's logical date is the start of its hour, and Airflow's range includes both of its ends.
        first, last = start, end - HOUR
        self._client.unpause(self._dag_id)
        message, reprocess = "", options.reprocess
        if earlier := self._active():
            self._id = earlier["id"]
            runs = self.runs()
            left = [run for run in runs if not run.ended]
            span = (datetime.fromisoformat(earlier["from_date"]), datetime.fromisoformat(earlier["to_date"]))
            same = (*span, earlier["reprocess_behavior"]) == (first, last, options.reprocess)
            # Its creation may have been interrupted, too: then it lacks some hours.
            if left and same and len(runs) == (end - start) // HOUR:
                return f"Continuing an interrupted backfill of these hours: {len(left):,} runs are left."
            if left:
                self._client.put(f"/api/v2/backfills/{self._id}/cancel")
                message = (
                    f"Cancelled an interrupted backfill with other options: {len(left):,} of its runs were "
                    f"left, from {left[0].hour:%Y-%m-%d %H:%M} on. REPROCESS=failed loads them."
                )
                # Cancelled runs have failed: those of these hours must be loaded nevertheless.
                reprocess = "failed" if reprocess == "none" else reprocess
            # Airflow detects the end of a backfill every 30 seconds. Cancelling it would be faster, but the runs of a
            # cancelled backfill do not start again when they are cleared.
            while self._active():
                self._deployment.check()
                time.sleep(1)
        body = {
            "dag_id": self._dag_id,
            "from_date": first.isoformat(),
            "to_date": last.isoformat(),
            "max_active_runs": options.runs,
            "reprocess_behavior": reprocess,
            "run_backwards": options.backwards,
        }
        # Airflow creates all runs before it responds: seconds for a day, minutes for a year.
        self._id = self._client.post("/api/v2/backfills", json=body, timeout=None).json()["id"]
        return message

    def wait(
        self, report: Callable[[Sequence[BackfillRun], Sequence[FailedTask]], None], *, every: float = 1
    ) -> BackfillResult:
        """Wait until every hour's run has ended.

        :param report: called after each poll with the current state of the hours, and with the task attempts that have
            failed since and that Airflow retries; only a few of those in total.
        :param every: seconds between polls.
        :raises DeploymentError: if Airflow stops.
        """
        reported: set[tuple[str, str, int]] = set()
        while True:
            self._deployment.check()
            runs = self.runs()
            retries = []
            hours = {run.run_id: run.hour for run in runs if run.run_id and run.state == "running"}
            for task in self._tasks(list(hours), state=["up_for_retry"]):
                attempt = (task["dag_run_id"], task["task_id"], task["try_number"])
                if attempt not in reported and len(reported) < EXPLAINED:
                    reported.add(attempt)
                    retries.append(self._explain(hours[task["dag_run_id"]], task))
            report(runs, retries)
            if all(run.ended for run in runs):
                break
            time.sleep(every)
        own = [run.run_id for run in runs if run.run_id and not run.skipped]
        checks = Counter(str(task["state"]) for task in self._tasks(own, task_ids=[QUALITY_TASK]))
        outcome = BackfillResult(runs, checks, [])
        failed = {str(run.run_id): run.hour for run in outcome.failed[:EXPLAINED]}
        tasks = self._tasks(list(failed), state=["failed"])
        outcome.failures.extend(self._explain(failed[task["dag_run_id"]], task) for task in tasks)
        return outcome

    def runs(self) -> list[BackfillRun]:
        """Return the hours with their current state."""
        with psycopg.connect(self._metadata) as connection:
            rows = connection.execute(
                "SELECT b.logical_date, b.exception_reason, r.run_id, r.state FROM backfill_dag_run AS b "
                "LEFT JOIN dag_run AS r ON r.dag_id = %s AND r.logical_date = b.logical_date "
                "WHERE b.backfill_id = %s ORDER BY b.logical_date",
                [self._dag_id, self._id],
            ).fetchall()
        return [BackfillRun(*row) for row in rows]

    def _active(self) -> dict[str, Any] | None:
        """Return the DAG's backfill that has not ended."""
        query: dict[str, str | int] = {"dag_id": self._dag_id, "order_by": "-id", "limit": 1}
        latest = self._client.get("/api/v2/backfills", params=query).json()["backfills"]
        return latest[0] if latest and not latest[0]["completed_at"] else None

    def _tasks(self, run_ids: Sequence[str], **wanted: Any) -> list[dict[str, Any]]:
        """Return the task instances of runs, at most one page per run."""
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

    def _explain(self, hour: datetime, task: dict[str, Any]) -> FailedTask:
        """Read the log of a task's last attempt."""
        task_id = task["task_id"]
        path = f"{dag_run_path(self._dag_id, task['dag_run_id'])}/taskInstances/{task_id}/logs/{task['try_number']}"
        log = self._client.get(path, params={"full_content": True}, headers={"Accept": "application/json"}).json()
        lines = [line for line in log["content"] if isinstance(line, dict)]
        errors = [line for line in lines if line.get("level") in ("error", "critical")]
        if not errors:
            return FailedTask(hour, task_id, "its log names no error")
        # An exception is followed by what it was raised from.
        details = next((line["error_detail"] for line in reversed(errors) if line.get("error_detail")), None)
        return FailedTask(hour, task_id, details[0]["exc_value"] if details else errors[-1]["event"])
