"""Reconcile a warehouse with its source: find the periods whose files are new, changed or gone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from sparkify.interval import EARLIEST, LATEST, moment
from sparkify.operators.base import WarehouseOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from sparkify.interval import Period
    from sparkify.reconcile.reconciliation import PassResult

# The Airflow Variable of the DAG, for the error.
SINCE = "sparkify_reconcile_since"
ACTIVE = ["queued", "running"]


class ReconcileOperator(WarehouseOperator):
    """Compare a source that is partitioned by time with its ledger, and return the runs that load the difference.

    A difference is a period whose files have changed since it was staged, or that was never staged, or whose files have
    vanished. It is recorded in operations.source_differences. Contiguous periods are loaded by one run. Without a
    difference, a pass costs one listing of the source and one query.

    The task's result is a list of keyword arguments for a mapped TriggerDagRunOperator: at most ``max_runs`` runs of
    the target DAG, with the params ``start`` and ``end``, and at most one run of this DAG, if something can be loaded
    in some minutes. A task that is killed before they are triggered claims them again.

    A version that could not be loaded is tried again alone, after one hour, two, and so on up to 24. Nothing is
    triggered for vanished files, for a period that an active run covers, or while the target DAG is paused.

    The XCom ``checks`` has two warnings for the alerts: files that have vanished since the pass before, and more runs
    to trigger than ``max_runs``.

    :param table: the staging table. (templated)
    :param bucket: the S3 bucket. (templated)
    :param key: the strftime pattern of the files' keys, as for :class:`StageToRedshiftOperator`. (templated)
    :param file_period: the period of one file, ``hour`` or ``day``.
    :param run_period: the period of a scheduled run of the target DAG.
    :param trigger_dag_id: the target DAG, which loads the source. (templated)
    :param since: from where on gaps are filled, ISO 8601. Empty: only gaps between the first and the last staged
        period. (templated)
    :param max_runs: maximum number of runs that are triggered.
    :param max_active_runs: maximum number of active runs of the target DAG beside which runs are triggered.
    """

    template_fields: Sequence[str] = (
        *WarehouseOperator.template_fields,
        "table",
        "bucket",
        "key",
        "trigger_dag_id",
        "since",
    )
    ui_color = "#cfe3f5"
    triggers: Sequence[dict[str, Any]] = ()

    def __init__(
        self,
        *,
        table: str,
        bucket: str,
        key: str,
        file_period: Period,
        run_period: Period = "hour",
        trigger_dag_id: str,
        since: str = "",
        max_runs: int = 4,
        max_active_runs: int,
        # A pass is about all times, and its run may have no data interval.
        interval_start: str = EARLIEST.isoformat(),
        interval_end: str = LATEST.isoformat(),
        **kwargs: Any,
    ) -> None:
        super().__init__(interval_start=interval_start, interval_end=interval_end, **kwargs)
        self.table = table
        self.bucket = bucket
        self.key = key
        self.file_period = file_period
        self.run_period = run_period
        self.trigger_dag_id = trigger_dag_id
        self.since = since
        self.max_runs = max_runs
        self.max_active_runs = max_active_runs

    def execute(self, context: Context) -> Sequence[dict[str, Any]]:  # type: ignore[override]
        """Run the task; return what to trigger."""
        super().execute(context)
        return self.triggers

    def work(self, context: Context) -> dict[str, Any]:
        from sparkify.quality.result import CHECK_RESULTS
        from sparkify.reconcile.reconciliation import Reconciliation, Source
        from sparkify.s3 import Bucket

        try:
            since = moment(self.since) if self.since else None
        except ValueError as error:
            raise AirflowFailException(f"Invalid Variable {SINCE}: {error}. Correct or delete it.") from None
        now = self.now()
        source = Source(self.table, Bucket(self.bucket, self.aws_conn_id), self.key, self.file_period, self.run_period)
        target = AirflowState(context["ti"], self.trigger_dag_id)
        with self.warehouse() as warehouse:
            found = Reconciliation(warehouse, source, target, since, self.max_runs, self.max_active_runs).run(
                now, getattr(context["dag_run"], "start_date", None) or now
            )
        self.check_results = found.checks
        context["ti"].xcom_push(key=CHECK_RESULTS, value=[result.to_json() for result in found.checks])
        for result in found.checks:
            if not result.passed:
                self.log.warning("%s: %s. %s %s", result.key, result.observed, result.why, result.remedy)
        self.triggers = self._triggers(found, context["dag"].dag_id)
        return found.counts

    def _triggers(self, found: PassResult, dag_id: str) -> list[dict[str, Any]]:
        triggers: list[dict[str, Any]] = [
            {
                "trigger_dag_id": self.trigger_dag_id,
                "trigger_run_id": run.run_id,
                "conf": {"start": run.interval.start.isoformat(), "end": run.interval.end.isoformat()},
            }
            for run in found.runs
        ]
        if found.again_at:
            triggers.append(
                {
                    "trigger_dag_id": dag_id,
                    "trigger_run_id": f"again__{self.table}__{found.again_at:%Y-%m-%dT%H:%M}",
                    "run_after": found.again_at.isoformat(),
                }
            )
        return triggers

    @staticmethod
    def now() -> datetime:
        """Return the time, which tests replace."""
        return datetime.now(UTC)


class AirflowState:
    """The runs of a DAG, as Airflow's task API reports them.

    :param ti: the running task instance.
    """

    def __init__(self, ti: Any, dag_id: str) -> None:
        self._ti = ti
        self._dag_id = dag_id

    def is_paused(self) -> bool:
        """Return whether the DAG is paused."""
        return bool(self._ti.get_dag(self._dag_id).is_paused)

    def count(
        self,
        *,
        run_ids: Sequence[str] | None = None,
        logical_dates: Sequence[datetime] | None = None,
        active: bool = False,
    ) -> int:
        """Return the number of runs with these ids, or logical dates, or all.

        :param active: count only queued and running ones.
        """
        states = ACTIVE if active else None
        return int(self._ti.get_dr_count(self._dag_id, logical_dates=logical_dates, run_ids=run_ids, states=states))


class ReconciledOperator(BaseOperator):
    """The last task of a pass: it does nothing, and shows the alerts that all tasks before it have succeeded.

    The tasks before it may be skipped, and a skipped task calls nothing.
    """

    # What has failed in any pass has recovered.
    scope = "table"

    def execute(self, context: Context) -> None:
        """Do nothing."""
