"""The latest loads according to Airflow: whether the warehouse has new data, without querying it."""

from __future__ import annotations

from typing import Any

from sparkify.web import failures

# The DAG that loads the warehouse, and the DAGs that write data of the page.
HOURLY = "sparkify_warehouse"
WRITERS = (HOURLY, "sparkify_audit")


def read(name: str = "") -> dict[str, Any]:
    """Return ``version``, which changes when a run that writes to the warehouse has ended, and the state of the loads.

    That is ``is_paused`` and :func:`failures <sparkify.web.failures.read>`. It is two queries of Airflow's metadata
    database, which only the API server may read; a few more if a task has failed.

    :param name: ignored; required by :class:`~sparkify.web.cache.Cache`.
    """
    from airflow.models.dag import DagModel
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import func, select

    ended = select(func.max(DagRun.end_date)).where(DagRun.dag_id.in_(WRITERS)).scalar_subquery()
    paused = select(DagModel.is_paused).where(DagModel.dag_id == HOURLY).scalar_subquery()
    with create_session() as session:
        version, is_paused = session.execute(select(ended, paused)).one()
        failed = failures.read(session)
    return {"version": str(version or ""), "is_paused": bool(is_paused), "failures": failed}
