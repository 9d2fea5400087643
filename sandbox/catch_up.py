"""Catch-up of the hours that the schedule misses: before the first start, and while the machine was off or asleep.

The DAG's schedule creates a run for the last full hour only (``catchup=False``). Each older range of hours that no run
covers is loaded by one run.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import httpx

from sandbox import airflow
from sandbox.api import PAGE
from sandbox.dag_runs import interval_of
from sparkify.interval import Interval, difference, union

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandbox.api import AirflowClient

HOUR = timedelta(hours=1)


def last_full(now: datetime) -> datetime:
    """Return the end of the last full hour."""
    return now.replace(minute=0, second=0, microsecond=0)


def missing(covered: Iterable[Interval], start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Return the gaps between ``start`` and ``end`` that no interval covers, in order, as half-open pairs."""
    gaps: tuple[Interval, ...] = (Interval(start, end),) if start < end else ()
    for span in union(covered):
        gaps = difference(gaps, span)
    return [(gap.start, gap.end) for gap in gaps]


class CatchUp:
    """Triggers runs for hours that no run covers and that the schedule will not load.

    It needs Airflow's API only: an app in a container has no access to the metadata database.

    :param client: logged in as a user who may trigger and unpause the DAGs.
    :param start: the first day of the data (UTC).
    :param report: called with a line for each triggered range, each failure and each invalid run; each line once.
    """

    def __init__(self, client: AirflowClient, start: date, report: Callable[[str], object]) -> None:
        self._client = client
        self._start = datetime(start.year, start.month, start.day, tzinfo=UTC)
        self._report = cache(report)
        self._known_dags: set[str] = set()
        # By run id; None if the run has no valid interval.
        self._intervals: dict[str, Interval | None] = {}
        self._loaded = False

    @property
    def loaded(self) -> bool:
        """Whether any run of the warehouse's DAG has succeeded."""
        if not self._loaded:
            self._loaded = self._client.dag_runs(airflow.DAG_ID, limit=1, state="success")["total_entries"] > 0
        return self._loaded

    def advance(self, until: datetime) -> list[tuple[datetime, datetime]] | None:
        """Unpause the DAGs that never had a run, and trigger a run for each range of hours that no run covers.

        While a user has paused the warehouse's DAG, nothing is triggered.

        :param until: the moment up to which the data is complete.
        :return: the ranges, in order, without those that Airflow rejected; None if Airflow has not parsed the DAGs yet.
        :raises httpx.HTTPError: if Airflow does not answer.
        """
        # The report first: it misses the days that are loaded while it is paused.
        if not all(self._unpause(dag_id) for dag_id in (airflow.REPORT_ID, airflow.DAG_ID)):
            return None
        if self.loaded:
            self._unpause(airflow.AUDIT_ID)  # it audits loaded data
        self._read_runs()
        end = last_full(until) - HOUR  # the schedule loads the last full hour: its run may be about to start
        gaps = missing(filter(None, self._intervals.values()), self._start, end)
        if not gaps or (self._client.dag(airflow.DAG_ID) or {}).get("is_paused"):
            return []
        return [(start, end) for start, end in gaps if self._trigger(start, end)]

    def _unpause(self, dag_id: str) -> bool:
        """Unpause a DAG that never had a run, once: a user may pause it again. Return whether Airflow knows the DAG."""
        if dag_id not in self._known_dags:
            dag = self._client.dag(dag_id)
            if dag is None:
                return False
            if dag["is_paused"] and not self._client.dag_runs(dag_id, limit=1)["total_entries"]:
                self._client.unpause(dag_id)
            self._known_dags.add(dag_id)
        return True

    def _read_runs(self) -> None:
        """Update the known runs: usually one request for one run, however long the history is."""
        latest = self._page(0, limit=1)
        ids = {run["dag_run_id"] for run in latest["dag_runs"]}
        if latest["total_entries"] == len(self._intervals) and ids <= self._intervals.keys():
            return
        if self._read_new() < len(self._intervals):
            self._intervals.clear()  # runs were deleted: their hours have to be loaded again
            self._read_new()

    def _read_new(self) -> int:
        """Read pages of runs, latest first, up to the first known one; return the number of all runs."""
        offset, new = 0, PAGE
        while new == PAGE:
            page = self._page(offset)
            offset, new = offset + PAGE, self._add(page["dag_runs"])
        total: int = page["total_entries"]
        return total

    def _page(self, offset: int, limit: int = PAGE) -> dict[str, Any]:
        return self._client.dag_runs(airflow.DAG_ID, limit=limit, offset=offset, order_by="-id")

    def _add(self, runs: list[dict[str, Any]]) -> int:
        """Remember the intervals of runs; return how many of the runs were unknown."""
        from airflow.sdk.exceptions import AirflowFailException

        unknown = [run for run in runs if run["dag_run_id"] not in self._intervals]
        for run in unknown:
            bounds = (run["data_interval_start"], run["data_interval_end"])
            start, end = (datetime.fromisoformat(bound) if bound else None for bound in bounds)
            try:
                self._intervals[run["dag_run_id"]] = interval_of(start, end, run["conf"])
            except AirflowFailException as error:
                self._intervals[run["dag_run_id"]] = None
                self._report(f"Skipped the run {run['dag_run_id']!r} of {airflow.DAG_ID}, invalid interval: {error}")
        return len(unknown)

    def _trigger(self, start: datetime, end: datetime) -> bool:
        span = f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"
        run_id = f"catch_up__{start:%Y-%m-%dT%H:%M}_{end:%Y-%m-%dT%H:%M}"
        try:
            self._client.trigger(
                airflow.DAG_ID,
                {"start": start.isoformat(), "end": end.isoformat()},
                dag_run_id=run_id,
                note="Hours that the schedule does not load: they were over when Airflow started.",
            )
        except httpx.HTTPStatusError as error:
            self._report(f"No run covers {span}, and triggering one failed: {error}")
            return False
        self._report(f"No run covers {span}, triggering one.")
        return True
