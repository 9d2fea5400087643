"""Check data quality."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowFailException

from sparkify.dag.run import DagRunInfo
from sparkify.operators.base import WarehouseOperator
from sparkify.operators.stage_to_redshift import StageToRedshiftOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from sparkify.quality.result import CheckResult, Scope

log = logging.getLogger(__name__)

SIGNS = {"passed": "ok    ", "warned": "WARN  ", "failed": "FAILED"}


class DataQualityOperator(WarehouseOperator):
    """Evaluate all checks of a scope, record each result, and fail if a check of severity error failed.

    The results are in the table operations.data_quality_results, and in the XCom ``checks``: a list of
    :class:`sparkify.quality.result.CheckResult` as JSON. The task is retried if the database failed, but not if a check
    did: the same data would fail again.

    Before that it records in the ledger that the run has loaded what it has staged by interval: it comes after all
    loads, and some checks compare tables only while no run is loading them.

    :param checks: the folder with the YAML files that declare the checks, see include/checks. (templated)
    :param scope: ``interval`` for checks of the run's interval, ``table`` for checks of whole tables.
    """

    template_fields: Sequence[str] = (*WarehouseOperator.template_fields, "checks")
    ui_color = "#f7e3b5"

    def __init__(self, *, checks: str, scope: Scope = "interval", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.checks = checks
        self.scope = scope

    def work(self, context: Context) -> dict[str, Any]:
        from sparkify.quality import declaration, history
        from sparkify.quality.evaluate import evaluate
        from sparkify.quality.result import CHECK_RESULTS
        from sparkify.staging import periods

        try:
            declared = declaration.load(Path(self.checks))
        except declaration.DeclarationError as error:
            raise AirflowFailException(f"Invalid declaration of checks:\n{error}") from None
        checks = [check for check in declared if check.scope == self.scope]
        run = DagRunInfo.of_task(context)
        with self.warehouse() as warehouse:
            for table in self._loaded(context):
                periods.confirm(warehouse, table, self.interval, run.run_id)
            results = warehouse.transaction(lambda: list(evaluate(warehouse, checks, self.interval)))
            warehouse.transaction(
                lambda: history.record(
                    warehouse, results, self.interval, dag_id=run.dag_id, run_id=run.run_id, run_type=run.run_type
                ),
                lock=[history.RESULTS],
            )
        self.check_results = results
        context["ti"].xcom_push(key=CHECK_RESULTS, value=[result.to_json() for result in results])
        for result in results:
            log.info("%s %s", SIGNS[result.outcome], _line(result))
        failed = [result for result in results if result.outcome == "failed"]
        warned = [result for result in results if result.outcome == "warned"]
        for result in warned:
            log.warning("%s", _explain(result))
        if failed:
            raise AirflowFailException(
                f"{len(failed)} of {len(results)} data quality checks failed for {self.interval}:\n"
                + "\n".join(map(_explain, failed))
            )
        return {"checks": len(results), "failed": 0, "warned": len(warned)}

    def _loaded(self, context: Context) -> list[str]:
        """Return the tables that are staged by interval before this task: the tasks between have loaded them."""
        before = self.get_flat_relatives(upstream=True) if self.has_dag() else ()  # type: ignore[no-untyped-call]
        staging = [task for task in before if isinstance(task, StageToRedshiftOperator) and task.interval_column]
        return sorted(self.render_template(task.table, context) for task in staging)


def _line(result: CheckResult) -> str:
    return f"{result.key}: {result.observed}, expected {result.expected}"


def _explain(result: CheckResult) -> str:
    """Return what failed, why it matters, what to do, and a sample of failing rows."""
    rows = [f"    {row}" for row in result.sample]
    return "\n".join([f"- {_line(result)}. {result.why} {result.remedy}", *rows])
