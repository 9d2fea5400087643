"""Catch-up of the hours that the schedule misses: before the first start, and while the machine was off or asleep.

The DAG's schedule makes a run of the last full hour and never looks back (``catchup=False``). What lies further back is
loaded by one run for the range.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AbstractContextManager

    from sparkify.interval import Interval

HOUR = timedelta(hours=1)


class Run(NamedTuple):
    """A run of the DAG.

    :param interval: the interval that it loads.
    :param began: when its first task started; None before.
    :param ended: when it ended; None before.
    """

    run_id: str
    state: str
    interval: Interval
    began: datetime | None
    ended: datetime | None


class Schedule(NamedTuple):
    """The next scheduled run.

    :param paused: whether the DAG is paused.
    :param at: when the next run starts; None if unknown.
    :param start: start of its interval, inclusive.
    :param end: end of its interval, exclusive.
    """

    paused: bool
    at: datetime | None
    start: datetime | None
    end: datetime | None


def last_full(now: datetime) -> datetime:
    """Return the end of the last full hour."""
    return now.replace(minute=0, second=0, microsecond=0)


def missing(covered: Iterable[Interval], start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Return the gaps between ``start`` and ``end`` that no interval covers, in order, as half-open pairs."""
    gaps = []
    for interval in sorted(covered, key=lambda interval: interval.start):
        if interval.start >= end:
            break
        if interval.start > start:
            gaps.append((start, interval.start))
        start = max(start, interval.end)
    if start < end:
        gaps.append((start, end))
    return gaps


def runs(metadata: str, dag_id: str, report: Callable[[str], object] = lambda line: None) -> list[Run]:
    """Return the runs of a DAG, in the order of their creation; runs without an interval are skipped.

    :param metadata: URI of Airflow's metadata database, as its API is paginated.
    :param report: called with a line for each skipped run.
    """
    with psycopg.connect(metadata) as connection:
        rows = connection.execute(
            "SELECT run_id, state, data_interval_start, data_interval_end, conf, start_date, end_date "
            "FROM dag_run WHERE dag_id = %s ORDER BY id",
            [dag_id],
        ).fetchall()
    found = []
    for run_id, state, start, end, conf, began, ended in rows:
        if interval := interval_of(dag_id, run_id, start, end, conf, report):
            found.append(Run(run_id, state, interval, began, ended))
    return found


def interval_of(
    dag_id: str,
    run_id: str,
    start: datetime | None,
    end: datetime | None,
    conf: Mapping[str, Any] | None,
    report: Callable[[str], object],
) -> Interval | None:
    """Return the interval of a run; None if it has no valid one.

    :param start: start of the run's data interval, and ``end`` its end.
    :param conf: the params that it was triggered with.
    :param report: called with the reason if a run has none.
    """
    from airflow.sdk.exceptions import AirflowFailException

    from sparkify.dag.run import interval_of_run

    try:
        return interval_of_run(SimpleNamespace(data_interval_start=start, data_interval_end=end), conf or {})
    except AirflowFailException as error:
        report(f"Skipped the run {run_id!r} of {dag_id}, invalid interval: {error}")
        return None


def ever_ran(metadata: str, dag_id: str) -> bool:
    """Return whether a DAG has ever had a run, of any type."""
    with psycopg.connect(metadata) as connection:
        return connection.execute("SELECT 1 FROM dag_run WHERE dag_id = %s", [dag_id]).fetchone() is not None


def schedule(metadata: str, dag_id: str) -> Schedule | None:
    """Return the next scheduled run of a DAG; None if Airflow does not know the DAG."""
    with psycopg.connect(metadata) as connection:
        row = connection.execute(
            "SELECT is_paused, next_dagrun_create_after, next_dagrun_data_interval_start, "
            "next_dagrun_data_interval_end FROM dag WHERE dag_id = %s",
            [dag_id],
        ).fetchone()
    return Schedule(*row) if row else None


def overdue(covered: Iterable[Interval], start: datetime, now: datetime) -> list[tuple[datetime, datetime]]:
    """Return the ranges from ``start`` on that no run covers and the schedule will not load, in order."""
    # The schedule loads the last full hour: its run may be about to start.
    return missing(covered, start, last_full(now) - HOUR)


def catch_up(
    covered: Iterable[Interval],
    dag_id: str,
    start: datetime,
    now: datetime,
    client: Callable[[], AbstractContextManager[httpx.Client]],
    report: Callable[[str], object],
) -> list[tuple[datetime, datetime]]:
    """Trigger a run for each range from ``start`` on that no run covers and the schedule will not load.

    :param covered: the intervals of the DAG's runs.
    :param client: opens a client of Airflow's API, logged in as a user who may trigger the DAG.
    :param report: is called with a line for each range.
    :return: the ranges, in order, but those for which Airflow refuses a run.
    """
    triggered = []
    for first, after in overdue(covered, start, now):
        span = f"{first:%Y-%m-%d %H:%M} to {after:%Y-%m-%d %H:%M} UTC"
        try:
            with client() as api:
                _trigger(api, dag_id, first, after)
        except httpx.HTTPStatusError as error:
            report(f"No run covers {span}, and triggering one failed: {error}")
        else:
            report(f"No run covers {span}, triggering one.")
            triggered.append((first, after))
    return triggered


def _trigger(client: httpx.Client, dag_id: str, start: datetime, end: datetime) -> None:
    body = {
        "logical_date": None,
        "dag_run_id": f"catch_up__{start:%Y-%m-%dT%H:%M}_{end:%Y-%m-%dT%H:%M}",
        "conf": {"start": start.isoformat(), "end": end.isoformat()},
        "note": "Hours that the schedule does not load: they were over when Airflow started.",
    }
    client.post(f"/api/v2/dags/{dag_id}/dagRuns", json=body).raise_for_status()


def tasks(metadata: str, dag_id: str, run_ids: Iterable[str]) -> tuple[int, int]:
    """Return the number of finished tasks of runs, and of all their tasks."""
    with psycopg.connect(metadata) as connection:
        (row,) = connection.execute(
            "SELECT COUNT(*) FILTER (WHERE state IN ('success', 'skipped', 'failed', 'upstream_failed')), COUNT(*) "
            "FROM task_instance WHERE dag_id = %s AND run_id = ANY(%s)",
            [dag_id, list(run_ids)],
        ).fetchall()
    return row[0], row[1]
