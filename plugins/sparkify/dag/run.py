"""A run of a DAG, and the interval that it owns: it loads the events of that interval only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.sdk.exceptions import AirflowFailException

from sparkify.interval import EARLIEST, LATEST, PERIODS, SHOWN, Interval, moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import Context

BACKFILL, MANUAL = "backfill", "manual"
RETRIGGER = "Trigger the DAG again with valid params: clearing the task cannot change params."


class InvalidRunError(AirflowFailException):
    """A run was triggered with invalid params: trigger the DAG again with valid ones."""


@dataclass(frozen=True)
class DagRunInfo:
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
    def of_task(cls, context: Context) -> DagRunInfo:
        """Return the run of a task's context."""
        dag, dag_run = context["dag"], context["dag_run"]
        return cls(
            dag.dag_id,
            dag.dag_display_name,
            dag_run.run_id,
            str(getattr(dag_run.run_type, "value", dag_run.run_type)),  # an enum in a task, text in dag.test()
            _interval(dag_run, context["params"]),
        )

    @classmethod
    def of_deadline(cls, dag_run: Mapping[str, Any]) -> DagRunInfo:
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


def interval_of_run(dag_run: Any, params: Mapping[str, Any]) -> Interval:
    """Return the interval that a DAG run owns; no other code decides it.

    :param dag_run: the run; its data interval is used if the params have no range.
    :param params: ``start`` and ``end`` of an explicit range, ISO 8601, or None.
    :raises InvalidRunError: if the run has neither, or the interval is invalid.
    """
    start, end = params.get("start"), params.get("end")
    if start or end:
        if not (start and end):
            missing = "end" if start else "start"
            raise InvalidRunError(
                f"Incomplete range, start={start!r:.{SHOWN}} and end={end!r:.{SHOWN}}: the param {missing} is missing. "
                f"Set both, or neither to load the run's data interval. {RETRIGGER}"
            )
        try:
            return Interval.parse(start, end).for_one_run()
        except ValueError as error:
            raise InvalidRunError(
                f"Invalid range, start={start!r:.{SHOWN}} and end={end!r:.{SHOWN}}: {error}. "
                f"Expected ISO 8601 times such as 2018-11-01T00:00:00Z; end is exclusive. {RETRIGGER}"
            ) from None
    if not (dag_run.data_interval_start and dag_run.data_interval_end):
        raise InvalidRunError(
            "This run has no interval: it was triggered without a logical date and without a range. "
            "Trigger the DAG again with the params start and end, or with a logical date: clearing the task cannot "
            "change them."
        )
    try:
        return Interval.parse(dag_run.data_interval_start, dag_run.data_interval_end).for_one_run()
    except ValueError as error:
        raise InvalidRunError(
            f"Invalid data interval of this run: {error}. The DAG's schedule must give each run an interval "
            "(CronDataIntervalTimetable does, a cron string does not). Correct it, or trigger the DAG again with the "
            "params start and end: clearing the task cannot change them."
        ) from None


def day_of_run(dag_run: Any) -> Interval:
    """Return the day of a run whose partition key is a day.

    :param dag_run: the run; its partition key is the day (UTC), such as 2018-11-01.
    :raises InvalidRunError: if the key is missing or not a valid day.
    """
    key = dag_run.partition_key
    try:
        start = moment(datetime.strptime(key or "", "%Y-%m-%d").replace(tzinfo=UTC))
        return Interval.parse(start, start + PERIODS["day"])
    except ValueError:
        raise InvalidRunError(
            f"This run's partition key is not a date from {EARLIEST:%Y-%m-%d} on and before {LATEST:%Y-%m-%d}: "
            f"{key!r:.{SHOWN}}. Trigger the DAG again with a partition key such as 2018-11-01: "
            "clearing the task cannot change it."
        ) from None


def _interval(dag_run: Any, params: Mapping[str, Any]) -> Interval | None:
    try:
        if getattr(dag_run, "partition_key", None):
            return day_of_run(dag_run)
        return interval_of_run(dag_run, params)
    except InvalidRunError:
        return None  # the task has failed for this reason, and its log has the error
