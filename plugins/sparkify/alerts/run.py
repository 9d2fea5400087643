"""The run that an alert is about."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.sdk.exceptions import AirflowFailException

from sparkify import interval
from sparkify.quality import history

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import Context

    from sparkify.interval import Interval

BACKFILL = "backfill"


@dataclass(frozen=True)
class Run:
    """A run of a DAG.

    :param name: the DAG's display name.
    :param run_type: Airflow's: ``scheduled``, ``backfill``, ``manual``, ``asset_triggered``.
    :param interval: the interval that it owns; None if it is unknown.
    """

    dag_id: str
    name: str
    run_id: str
    run_type: str
    interval: Interval | None

    @classmethod
    def of_task(cls, context: Context) -> Run:
        """Return the run of a task's callback."""
        dag, dag_run = context["dag"], context["dag_run"]
        return cls(
            dag.dag_id,
            dag.dag_display_name,
            dag_run.run_id,
            history.Run.of(dag_run).run_type,
            _interval(dag_run, context["params"]),
        )

    @classmethod
    def of_deadline(cls, dag_run: Mapping[str, Any]) -> Run:
        """Return the run of a deadline's callback, which receives it in the REST API's form."""
        return cls(
            dag_run["dag_id"],
            dag_run["dag_display_name"],
            dag_run["dag_run_id"],
            dag_run["run_type"],
            _interval(SimpleNamespace(**dag_run), dag_run["conf"] or {}),
        )

    @property
    def url(self) -> str:
        """The run's page in the web UI."""
        from airflow.sdk.configuration import conf

        base = conf.get("api", "base_url", fallback="http://localhost:8080").rstrip("/")
        return f"{base}/dags/{self.dag_id}/runs/{quote(self.run_id, safe='')}"


def _interval(dag_run: Any, params: Mapping[str, Any]) -> Interval | None:
    try:
        return interval.of_run(dag_run, params)
    except AirflowFailException:
        return None  # the task has failed for this reason, and its log has the error
