"""Failed runs and tasks according to Airflow: what failed, for which interval, and what to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowFailException

from sparkify.dag.run import day_of_run, interval_of_run
from sparkify.interval import union

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy.orm import Session

    from sparkify.interval import Interval

# The project's DAGs begin with this.
PREFIX = "sparkify_"
# Failures of runs that started in the last days.
DAYS = 7
# Maximum number of failed and retrying tasks, the latest.
MOST = 200
# Maximum number of later successful runs that are compared with the failed ones, the latest.
LATER = 2_000
# The interval that a run owns. A run of another DAG sees the current state: any later successful run supersedes it.
OWNED: dict[str, Callable[[Any], Interval]] = {
    "sparkify_warehouse": lambda run: interval_of_run(run, run.conf or {}),
    "sparkify_report": day_of_run,
}
# The row of the table "When a task fails" in a DAG's documentation: task, what it means, what to do.
CELLS = 3
REMEDY = "Open the log, fix the cause, clear the task."
RUN_REMEDY = "Open the run: no task failed, it timed out or was marked as failed. Clear it."


@dataclass(frozen=True)
class Failure:
    """A task that failed or waits for its retry, or a run that failed without a failed task.

    :param dag_id: the DAG.
    :param run_id: the run.
    :param task_id: the task; None if no task of the failed run failed.
    :param map_index: of a mapped task; -1 for any other.
    :param state: Airflow's: ``failed``, ``up_for_retry``.
    :param start: of the run's interval, ISO 8601; None if it has none.
    :param end: of the run's interval.
    :param failed_at: when the task ended, ISO 8601; None if it did not begin.
    :param remedy: what to do.
    """

    dag_id: str
    run_id: str
    task_id: str | None
    map_index: int
    state: str
    start: str | None
    end: str | None
    failed_at: str | None
    remedy: str


def read(session: Session) -> list[dict[str, Any]]:
    """Return the failed and the retrying tasks, newest first, at most :data:`MOST`, as JSON carries :class:`Failure`.

    A task that was cleared and has succeeded since is not listed, nor one whose interval later successful runs cover.
    Without a failure it is one query.

    :param session: of Airflow's metadata database, which only the API server may read.
    """
    found = _failed(session)
    if not found:
        return []
    later = _succeeded(session, {row.dag_id for row in found}, min(row.started for row in found))
    current = [row for row in found if not _superseded(row, later.get(row.dag_id, []))]
    remedies = {dag_id: _remedies(session, dag_id) for dag_id in {row.dag_id for row in current}}
    return [_failure(row, remedies[row.dag_id]) for row in current]


def _failed(session: Session) -> list[Any]:
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.state import DagRunState, TaskInstanceState
    from sqlalchemy import and_, func, or_, select

    troubled = and_(
        TaskInstance.dag_id == DagRun.dag_id,
        TaskInstance.run_id == DagRun.run_id,
        TaskInstance.state.in_([TaskInstanceState.FAILED, TaskInstanceState.UP_FOR_RETRY]),
    )
    ended = func.coalesce(TaskInstance.end_date, DagRun.end_date, DagRun.start_date)
    query = (
        select(
            *_columns(),
            TaskInstance.task_id,
            TaskInstance.map_index,
            func.coalesce(TaskInstance.state, DagRun.state).label("task_state"),
            ended.label("failed_at"),
        )
        .outerjoin(TaskInstance, troubled)
        .where(
            DagRun.dag_id.startswith(PREFIX, autoescape=True),
            DagRun.state.in_([DagRunState.FAILED, DagRunState.RUNNING]),
            DagRun.start_date >= datetime.now(UTC) - timedelta(days=DAYS),
            or_(TaskInstance.task_id.is_not(None), DagRun.state == DagRunState.FAILED),
        )
        .order_by(ended.desc(), TaskInstance.task_id)
        .limit(MOST)
    )
    return list(session.execute(query))


def _columns() -> Iterable[Any]:
    """Return the columns of a run with its interval and its start."""
    from airflow.models.dagrun import DagRun

    return (
        DagRun.dag_id,
        DagRun.run_id,
        DagRun.conf,
        DagRun.data_interval_start,
        DagRun.data_interval_end,
        DagRun.partition_key,
        DagRun.start_date.label("started"),
    )


def _succeeded(session: Session, dag_ids: set[str], since: datetime) -> dict[str, list[Any]]:
    """Return the successful runs of each DAG that started after a moment."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.state import DagRunState
    from sqlalchemy import select

    query = (
        select(*_columns())
        .where(DagRun.dag_id.in_(dag_ids), DagRun.state == DagRunState.SUCCESS, DagRun.start_date > since)
        .order_by(DagRun.start_date.desc())
        .limit(LATER)
    )
    found: dict[str, list[Any]] = {}
    for row in session.execute(query):
        found.setdefault(row.dag_id, []).append(row)
    return found


def _superseded(failed: Any, runs: Iterable[Any]) -> bool:
    """Return whether successful runs that started after the failure cover the failed run's interval."""
    later = [run for run in runs if run.started > failed.failed_at]
    owned = _owned(failed)
    if owned is None:
        return bool(later)
    return any(span.contains(owned) for span in union(filter(None, map(_owned, later))))


def _owned(run: Any) -> Interval | None:
    """Return the interval that a run owns; None if the DAG has none, or the run's is invalid."""
    try:
        return OWNED[run.dag_id](run)
    except (KeyError, AirflowFailException):
        return None


def _failure(row: Any, remedies: dict[str, str]) -> dict[str, Any]:
    owned = _owned(row)
    start, end = (owned.start, owned.end) if owned else (row.data_interval_start, row.data_interval_end)
    return asdict(
        Failure(
            dag_id=row.dag_id,
            run_id=row.run_id,
            task_id=row.task_id,
            map_index=-1 if row.map_index is None else row.map_index,
            state=str(row.task_state),
            start=iso(start),
            end=iso(end),
            failed_at=iso(row.failed_at),
            remedy=_remedy(row.task_id, remedies) if row.task_id else RUN_REMEDY,
        )
    )


def iso(moment: datetime | None) -> str | None:
    """Return a moment as ISO 8601, UTC, with a ``Z``; None if it is None."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None


def _remedy(task_id: str, remedies: dict[str, str]) -> str:
    """Return what the DAG's documentation says to do about a task: in its row, or that of ``load_...``."""
    for names, text in remedies.items():
        for name in names.split(", "):
            if task_id == name or (name.endswith("...") and task_id.startswith(name.removesuffix("..."))):
                return text
    return REMEDY


def _remedies(session: Session, dag_id: str) -> dict[str, str]:
    """Return what to do about each task, from the table "When a task fails" in the DAG's documentation."""
    from airflow.models.serialized_dag import SerializedDagModel

    stored = SerializedDagModel.get(dag_id, session=session)
    text = ((stored and stored.data) or {}).get("dag", {}).get("doc_md") or ""
    lines = [line.strip().strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line] for line in lines]
    return {cells[0]: cells[-1] for cells in rows if len(cells) == CELLS}
