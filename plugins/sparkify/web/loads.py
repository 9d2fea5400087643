"""The latest loads according to Airflow: whether the warehouse has new data, without querying it."""

from __future__ import annotations

from typing import Any

from sparkify.web import failures

# The DAG that loads the warehouse, and the DAGs that write data of the page.
HOURLY = "sparkify_warehouse"
WRITERS = (HOURLY, "sparkify_audit")
# The DAG that compares the bucket with what is staged, and the only panel that shows its result.
RECONCILE = "sparkify_reconcile"
SOURCE_PANEL = "source_files"


def read(name: str = "") -> dict[str, Any]:
    """Return the versions of the page's data, and the state of the loads.

    ``version`` changes when a run that writes to the warehouse has ended; ``versions`` has that of the panels that
    change more often. The state is ``is_paused``, ``reconciliation`` (the end of its last successful run, and whether
    it is paused; None if Airflow does not know the DAG) and :func:`failures <sparkify.web.failures.read>`. It is two
    queries of Airflow's metadata database, which only the API server may read; a few more if a task has failed.

    :param name: ignored; required by :class:`~sparkify.web.cache.Cache`.
    """
    from airflow.models.dag import DagModel
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from airflow.utils.state import DagRunState
    from sqlalchemy import func, select

    ended = select(func.max(DagRun.end_date)).where(DagRun.dag_id.in_(WRITERS)).scalar_subquery()
    reconciled = (
        select(func.max(DagRun.end_date))
        .where(DagRun.dag_id == RECONCILE, DagRun.state == DagRunState.SUCCESS)
        .scalar_subquery()
    )
    paused, reconcile_paused = (
        select(DagModel.is_paused).where(DagModel.dag_id == dag_id).scalar_subquery() for dag_id in (HOURLY, RECONCILE)
    )
    with create_session() as session:
        version, is_paused, ended_at, is_reconcile_paused = session.execute(
            select(ended, paused, reconciled, reconcile_paused)
        ).one()
        failed = failures.read(session)
    reconciliation = None
    if is_reconcile_paused is not None:
        reconciliation = {"ended_at": failures.iso(ended_at), "is_paused": is_reconcile_paused}
    return {
        "version": str(version or ""),
        "versions": {SOURCE_PANEL: f"{version or ''} {ended_at or ''}"},
        "is_paused": bool(is_paused),
        "reconciliation": reconciliation,
        "failures": failed,
    }


def staging(run_ids: list[str]) -> dict[str, dict[str, str | None]]:
    """Return the states of the staging tasks of runs, by run and task; a run that was deleted has none.

    :param run_ids: of runs of :data:`HOURLY`.
    """
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from sqlalchemy import select

    query = select(TaskInstance.run_id, TaskInstance.task_id, TaskInstance.state).where(
        TaskInstance.dag_id == HOURLY,
        TaskInstance.run_id.in_(run_ids),
        TaskInstance.task_id.startswith("stage_", autoescape=True),
    )
    found: dict[str, dict[str, str | None]] = {}
    with create_session() as session:
        for run_id, task_id, state in session.execute(query):
            found.setdefault(run_id, {})[task_id] = state
    return found
