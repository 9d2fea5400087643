"""DAG runs, their tasks and the schedule, as Airflow's metadata database has them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, NamedTuple

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sparkify.interval import Interval


class DagRun(NamedTuple):
    """A run of a DAG.

    :param interval: the interval that it loads.
    :param began: when its first task started; None before.
    :param ended: when it ended; None before.
    """

    run_id: str
    state: str
    interval: Interval
    began: datetime | None
    ended: datetime | None


class NextRun(NamedTuple):
    """The next scheduled run of a DAG.

    :param paused: whether the DAG is paused.
    :param at: when the run starts; None if unknown.
    :param start: start of its interval, inclusive.
    :param end: end of its interval, exclusive.
    """

    paused: bool
    at: datetime | None
    start: datetime | None
    end: datetime | None


def read_runs(metadata: str, dag_id: str) -> list[DagRun]:
    """Return the runs of a DAG, in the order of their creation, without those that have no valid interval.

    :param metadata: URI of Airflow's metadata database, as its API is paginated.
    """
    from airflow.sdk.exceptions import AirflowFailException

    from sparkify.dag.run import interval_of_run

    with psycopg.connect(metadata) as connection:
        rows = connection.execute(
            "SELECT run_id, state, data_interval_start, data_interval_end, conf, start_date, end_date "
            "FROM dag_run WHERE dag_id = %s ORDER BY id",
            [dag_id],
        ).fetchall()
    found = []
    for run_id, state, start, end, conf, began, ended in rows:
        try:
            run = SimpleNamespace(data_interval_start=start, data_interval_end=end)
            found.append(DagRun(run_id, state, interval_of_run(run, conf or {}), began, ended))
        except AirflowFailException:
            continue
    return found


def next_run(metadata: str, dag_id: str) -> NextRun | None:
    """Return the next scheduled run of a DAG; None if Airflow does not know the DAG."""
    with psycopg.connect(metadata) as connection:
        row = connection.execute(
            "SELECT is_paused, next_dagrun_create_after, next_dagrun_data_interval_start, "
            "next_dagrun_data_interval_end FROM dag WHERE dag_id = %s",
            [dag_id],
        ).fetchone()
    return NextRun(*row) if row else None


def task_counts(metadata: str, dag_id: str, run_ids: Iterable[str]) -> tuple[int, int]:
    """Return the number of finished tasks of runs, and of all their tasks."""
    with psycopg.connect(metadata) as connection:
        (row,) = connection.execute(
            "SELECT COUNT(*) FILTER (WHERE state IN ('success', 'skipped', 'failed', 'upstream_failed')), COUNT(*) "
            "FROM task_instance WHERE dag_id = %s AND run_id = ANY(%s)",
            [dag_id, list(run_ids)],
        ).fetchall()
    return row[0], row[1]
